"""Where a rollback is carried out: the environment, its files, and whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plugins.masking import Masker
from plugins.model.environment import Environment
from plugins.model.outside import Render as Table
from plugins.model.rollback import CannotRollBack
from plugins.model.runbook import Runbook
from plugins.rollback.narrator import Narrator

RunChild = Callable[[list[str]], int]
"""Runs a command to its end, its output where the rest is told, and returns its exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all parts of one rollback share.

    Attributes:
        environment: with its credentials, and as launched where it is.
        named: as the command line names the environment: its name, or a path.
        root: the project's folder.
        launched: the file with the ready line of a launched platform; None where none is.
        by: who has it done.
        how: "by hand", or what does it.
        run_child: how to run a command.
    """

    environment: Environment
    named: str
    root: Path
    runbook: Runbook
    masker: Masker
    narrator: Narrator
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
        """The command that goes on where this one ended."""
        name = self.environment.name
        return (
            f"make rollback ENV={name}"
            if self.named == name
            else f"python -m plugins.rollback --env {self.named}"
        )

    @property
    def hosting(self) -> Table:
        """The environment's [render], with its key.

        Raises:
            CannotRollBack: there is none, or no key.
        """
        table = self.environment.render
        if table is None:
            raise CannotRollBack(f"{self.file}: has no [render], so nobody here knows what runs where")
        if not table.key.present:
            raise CannotRollBack(f"{table.key.name} is not set: nothing can be asked of Render without it")
        return table

    @property
    def file(self) -> str:
        """The environment's file, as messages name it."""
        return self.named if self.named.endswith(".toml") else f"environments/{self.named}.toml"

    def refuse_unless_allowed(self) -> None:
        """Nothing is carried out where the environment does not allow it.

        Raises:
            CannotRollBack: it does not; the message says what to do.
        """
        if not self.environment.allow_rollback:
            raise CannotRollBack(
                f"{self.file}: allow_rollback is not true, so nothing is rolled back from here. Where that is"
                " wanted, write allow_rollback = true into it, above the first [table]; until then roll back"
                " by hand, on the dashboard. --dry-run shows the calls"
            )
