"""Command-line options of a verification run, and whether this pytest run is a verification."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import pytest

from kamiyo_verify.hooks.option_types import attestation_of, commit_of, place_of, seconds_of, service_url_of
from kamiyo_verify.model.words import Phase

PLACE_VARIABLE = "KAMIYO_VERIFY_PLACE"


class Mode(Enum):
    """What pytest was started for."""

    OFF = auto()
    """Not a verification: the project's own tests, --help, --markers."""
    COLLECT = auto()
    """Collect and validate the checks, run nothing (--collect-only)."""
    PLAN = auto()
    """Print what would be checked (--plan)."""
    VERIFY = auto()
    """Run the checks and judge the result."""


@dataclass(frozen=True, slots=True)
class Options:
    """The validated options of a verification run.

    Attributes:
        overrides: addresses from the command line, by their key in an environment file.
        report_dir: the report folder that the user chose; None for the default.
        attested: attestations, "WHO: WHAT" by item id.
        deadline_s: seconds for the whole run; None for the default.
        notify: whether to notify the channels; None means that the environment file decides.
        slos: an OpenSLO file whose objectives replace the runbook's.
        launched: a file with the ready line of a platform that is already running.
        executes: whether to carry out a rollback that the verdict calls for.
        stays: services that a rollback left unchanged on purpose.
        place: the place that this run looks from; "" if it was not named.
        load: whether to put load on the platform, as [load] of the environment says.
    """

    environment: str
    overrides: dict[str, str]
    report_dir: Path | None
    plan: bool
    baseline: bool
    commit: str
    attested: dict[str, str]
    faults: tuple[str, ...]
    deadline_s: float | None
    notify: bool | None = None
    slos: Path | None = None
    launched: Path | None = None
    executes: bool = False
    stays: tuple[str, ...] = ()
    place: str = ""
    load: bool = False

    @staticmethod
    def of(config: pytest.Config) -> Options:
        """Return the options of this command line."""
        urls = {
            "api": config.getoption("api_url"),
            "frontend": config.getoption("frontend_url"),
            **dict(config.getoption("urls")),
        }
        report_dir, slos = config.getoption("report_dir"), config.getoption("slos")
        launched = config.getoption("launched")
        return Options(
            environment=config.getoption("env"),
            overrides={f"services.{name}.url": url for name, url in urls.items() if url},
            report_dir=config.invocation_params.dir / report_dir if report_dir else None,
            plan=config.getoption("plan"),
            baseline=config.getoption("baseline"),
            commit=config.getoption("commit") or "",
            attested=dict(config.getoption("attest")),
            faults=tuple(config.getoption("fault")),
            deadline_s=config.getoption("deadline"),
            notify=config.getoption("notify"),
            slos=config.invocation_params.dir / slos if slos else None,
            launched=config.invocation_params.dir / launched if launched else None,
            executes=config.getoption("on_roll_back") == "execute",
            stays=tuple(config.getoption("stays")),
            place=config.getoption("place"),
            load=config.getoption("load"),
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of a verification run and the setting for the folders of checks."""
    add = parser.getgroup("kamiyo-verify", "kamiyo-verify: deployment verification").addoption
    add("--env", default="sandbox", metavar="NAME", help="verify environments/NAME.toml (default: sandbox)")
    add(
        "--url",
        dest="urls",
        type=service_url_of,
        action="append",
        default=[],
        metavar="NAME=URL",
        help="address of the service NAME, instead of the environment's; may be repeated",
    )
    add("--api-url", metavar="URL", help="short for --url api=URL")
    add("--frontend-url", metavar="URL", help="short for --url frontend=URL")
    add("--report-dir", metavar="DIR", help="write the report here; default: reports/<env>/<time>-<commit>/")
    add("--plan", action="store_true", help="say what would be checked, what not, and why; run nothing")
    add("--baseline", action="store_true", help="record this run as the state before the deployment")
    add("--commit", type=commit_of, metavar="SHA", help="the commit that should answer (7 to 40 hex digits)")
    add(
        "--place",
        type=place_of,
        default=os.environ.get(PLACE_VARIABLE, ""),
        metavar="NAME",
        help="the place that this run looks from, such as frankfurt, to combine it with runs of other places"
        f" (default: {PLACE_VARIABLE}, else no name)",
    )
    add(
        "--attest",
        type=attestation_of,
        action="append",
        default=[],
        metavar='ITEM="WHO: WHAT"',
        help="vouch for an item that only a person can check, such as"
        ' --attest preflight.migration-plan-reviewed="Ada: read all of it"; may be repeated',
    )
    add(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="start the sandbox with this fault, to see the suite find it; may be repeated",
    )
    add(
        "--deadline",
        type=seconds_of,
        metavar="SECONDS",
        help="end the whole run after this time; what was not tried is then an error (default: 600, and where"
        " a deployment is waited for as long besides as it may take)",
    )
    add(
        "--notify",
        action=argparse.BooleanOptionalAction,
        help="tell the environment's channels of this run, whatever its phase, or do not; default: as"
        " [notifications] says",
    )
    add("--slos", metavar="FILE", help="an OpenSLO file whose objectives replace the runbook's")
    add(
        "--on-roll-back",
        choices=("advise", "execute"),
        default="advise",
        help="what to do where the verdict is to roll back (exit code 20): say so, or do it, which takes"
        " allow_rollback = true in the environment's file (default: advise)",
    )
    add("--load", action="store_true", help="put load on the platform, as the environment's [load] says")
    kept = "in the rollback phase: this service was left as it was on purpose; may be repeated"
    add("--stays", action="append", default=[], metavar="NAME", help=kept)
    add("--launched", metavar="FILE", help="[launch]'s platform runs already, and FILE has its ready line")
    parser.addini(
        "verification_paths",
        "folders of checks, by phase; a run of anything else is no verification",
        type="args",
        default=["checks"],
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Refuse to start if a part of the plugin is missing; this module is loaded even without conftest.py.

    Raises:
        pytest.UsageError: see `check_preconditions`.
    """
    if is_project(config) and not hasattr(config, "workerinput"):
        from kamiyo_verify.hooks.preconditions import check_preconditions  # noqa: PLC0415 - not in other projects

        check_preconditions(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse checks in a run that is not a verification, such as one with other verification_paths.

    Raises:
        pytest.UsageError: the run contains checks.
    """
    if not is_project(config) or mode_of(config) is not Mode.OFF or asks_only(config):
        return
    found = next((node for node in items if _is_check(node)), None)
    if found is not None:
        raise pytest.UsageError(
            f"{found.nodeid} is a check, and this run is no verification: its paths are not under"
            f" {', '.join(config.getini('verification_paths'))} (verification_paths)"
        )


def _is_check(node: pytest.Item) -> bool:
    return any(
        len(mark.args) == 1 and isinstance(mark.args[0], str) and mark.args[0].partition(".")[0] in [*Phase]
        for mark in node.iter_markers("item")
    )


def is_project(config: pytest.Config) -> bool:
    """Return whether this project has a runbook or the command line names an environment."""
    named = any(str(word).partition("=")[0] == "--env" for word in config.invocation_params.args)
    folders = (config.rootpath, config.invocation_params.dir)
    return named or any((folder / "runbook.toml").is_file() for folder in folders)


def mode_of(config: pytest.Config) -> Mode:
    """Return the mode; a run is a verification if its path arguments include checks."""
    option = config.option
    if asks_only(config) or not _touches_checks(config):
        return Mode.OFF
    if config.getoption("plan"):
        return Mode.PLAN
    return Mode.COLLECT if option.collectonly else Mode.VERIFY


def asks_only(config: pytest.Config) -> bool:
    """Return whether pytest only prints: --help, --version, --markers, --cache-show, --fixtures."""
    option = config.option
    asked = (option.help, option.version, option.markers, option.showfixtures, option.show_fixtures_per_test)
    return any(asked) or bool(config.getoption("cacheshow", None))


def verification_roots(config: pytest.Config) -> list[Path]:
    """Return the absolute paths of the folders of checks."""
    return [(config.rootpath / folder).resolve() for folder in config.getini("verification_paths")]


def argument_paths(config: pytest.Config) -> list[Path]:
    """Return the absolute paths of the command line's arguments, without the names of tests."""
    start = config.invocation_params.dir
    return [(start / argument.partition("::")[0]).resolve() for argument in config.args]


def _touches_checks(config: pytest.Config) -> bool:
    return any(
        asked.is_relative_to(root) or root.is_relative_to(asked)
        for asked in argument_paths(config)
        for root in verification_roots(config)
    )
