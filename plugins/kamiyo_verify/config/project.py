"""The table [project] of an environment file: the checkout of the deployed project."""

from __future__ import annotations

from pydantic import Field

from kamiyo_verify.model.tables import Address, Table


class Project(Table):
    """The checkout of the deployed project. Paths inside it are relative to `path`.

    In commands, "{python}" is replaced with the interpreter that runs the suite.

    Attributes:
        path: the checkout; relative to the folder of the run.
        audit_command, validate_command: the project's own scripts; not run if they do not exist.
        status_command: likewise; its arguments are the URLs of the API and of the frontend.
        install_command: resolves the requirements, which are appended, and installs nothing; empty to skip.
        node_install_command: likewise, in `node_folder`.
        registries: the package registries that a lock file may reference.
    """

    path: str
    branch: str = "main"
    test_command: tuple[str, ...] = ("pytest", "tests/")
    audit_command: tuple[str, ...] = ("./scripts/security_audit.sh",)
    validate_command: tuple[str, ...] = ("./scripts/validate_env.sh", "production")
    status_command: tuple[str, ...] = ("./scripts/status-check.sh",)
    install_command: tuple[str, ...] = (
        *("{python}", "-m", "pip", "install", "--dry-run", "--ignore-installed", "--only-binary=:all:"),
        *("--quiet", "--disable-pip-version-check", "--retries=0", "--timeout=10"),
    )
    node_install_command: tuple[str, ...] = (
        *("npm", "ci", "--dry-run", "--ignore-scripts", "--offline", "--no-audit", "--no-fund"),
        *("--no-update-notifier", "--logs-max=0"),
    )
    command_timeout_s: float = Field(default=900, gt=0, le=7200)
    requirements: str = "requirements.txt"
    requirements_lock: str = "requirements.txt.lock"
    node_folder: str = "website"
    migrations: str = "website/prisma/migrations"
    blueprint: str = "render.yaml"
    backups: str = "backups"
    backup_max_age_hours: float = Field(default=24, gt=0)
    registries: tuple[Address, ...] = (
        "https://registry.npmjs.org",
        "https://registry.yarnpkg.com",
        "https://pypi.org",
        "https://files.pythonhosted.org",
    )
    attestations: str = "attestations"
