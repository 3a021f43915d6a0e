"""The table [command] of an environment file: a host that the team's own commands speak for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kamiyo_verify.model.tables import Table

Words = Annotated[tuple[str, ...], Field(min_length=1)]


class Command(Table):
    """A host behind commands; in each word {service} is replaced by `[services.NAME] hosting_id`.

    Each command prints one line of JSON as its last line and exits with 0. See docs/project-files.md.

    Attributes:
        state: prints the service's state and its deploys.
        roll_back: starts a rollback to the deploy {deploy}; exit code 2 says that nothing was changed.
        auto_deploy_off: stops deploying pushes; needed only where the state says auto_deploy.
        logs: prints the lines between {start} and {end}, ISO 8601.
        events: prints what happened between {start} and {end}, such as crashes and restarts.
        folder: where the commands run, relative to the folder of the run.
        command_timeout_s: seconds after which a command that only reads is stopped.
        change_timeout_s: seconds after which `roll_back` or `auto_deploy_off` is stopped; many wait until the
            release is live.
        deploy_timeout_s: seconds that a deployment or a rollback may take.
        poll_s: seconds between two looks at a deployment.
        log_errors_per_minute: lines of errors a minute that are usual in the logs.
    """

    state: Words
    roll_back: tuple[str, ...] = ()
    auto_deploy_off: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    folder: str = "."
    command_timeout_s: float = Field(default=30, gt=0, le=600)
    change_timeout_s: float = Field(default=600, gt=0, le=7200)
    deploy_timeout_s: float = Field(default=2400, gt=0, le=7200)
    poll_s: float = Field(default=5, gt=0, le=60)
    log_errors_per_minute: float = Field(default=1.0, ge=0)

    @property
    def title(self) -> str:
        """The host's name in messages."""
        return "the host"

    @property
    def credential(self) -> str:
        """The variable of the credential; "" as the commands bring their own."""
        return ""

    @property
    def has_credential(self) -> bool:
        """Whether the credential is there: the commands bring their own."""
        return True
