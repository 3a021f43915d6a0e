"""Context of a rollback: the environment, its files and its console."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kamiyo_verify.config.environment import Environment, Host
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.hosting.rollback import CannotRollBack
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.rollback.console import ConsoleReporter

RunChild = Callable[[list[str]], int]
"""Runs a command until it ends, prints its output on the same console, and returns its exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackContext:
    """Settings that all parts of one rollback share.

    Attributes:
        environment: the environment with its credentials, and the addresses of a launched platform.
        named: the environment as given on the command line: its name, or a path.
        root: the project's folder.
        launched: the file with the ready line of a launched platform, or None.
        by: the name of the person or system that starts the rollback.
        how: "by hand", or the tool that starts the rollback.
        run_child: runs a command.
    """

    environment: Environment
    named: str
    root: Path
    runbook: Runbook
    masker: Masker
    console: ConsoleReporter
    launched: Path | None
    by: str
    how: str
    run_child: RunChild

    @property
    def reports(self) -> Path:
        """The folder of all reports."""
        return self.root / "reports"

    @property
    def again(self) -> str:
        """The command that continues an interrupted rollback."""
        return f"kamiyo-verify rollback --env {self.named}"

    @property
    def hosting(self) -> Host:
        """The environment's table of the host: [render], [kubernetes] or [command].

        Raises:
            CannotRollBack: the table or its credential is missing, or the platform does not run.
        """
        table = self.environment.declared_host
        if table is None:
            raise CannotRollBack(
                f"{self.file}: has no [render], [kubernetes] or [command], so nobody here knows what runs"
                " where: write the table of your host into it (docs/rollback.md), or roll back by hand, on"
                " the dashboard. Nothing was done"
            )
        if self.environment.launch is not None and self.launched is None:
            raise CannotRollBack(
                f"each run starts {self.environment.name} anew, so nothing of it runs now: name the platform"
                f" that does, --launched FILE; or practise on a new one: {self.again}, without --from and"
                " --to. Nothing was done"
            )
        if not table.has_credential:
            raise CannotRollBack(
                f"{table.credential} is not set: nothing can be asked of {table.title} without it; set it in"
                " the process environment or in .env. Nothing was done"
            )
        return table

    @property
    def file(self) -> str:
        """The environment's file, as messages name it."""
        return self.named if self.named.endswith(".toml") else f"environments/{self.named}.toml"

    def refuse_unless_reachable(self) -> None:
        """Refuse to roll back if the host cannot be asked.

        Raises:
            CannotRollBack: see `hosting`; the message says what to do.
        """
        _ = self.hosting

    def refuse_unless_allowed(self) -> None:
        """Refuse to roll back if the environment does not allow it.

        Raises:
            CannotRollBack: `allow_rollback` is not true; the message says what to do.
        """
        if not self.environment.allow_rollback:
            raise CannotRollBack(
                f"{self.file}: allow_rollback is not true, so nothing is rolled back from here. Where that is"
                " wanted, write allow_rollback = true into it, above the first [table]; until then roll back"
                " by hand, on the dashboard. --dry-run shows the calls"
            )
