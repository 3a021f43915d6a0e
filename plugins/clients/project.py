"""The project's checkout: its own commands, its dependencies, its migrations, its blueprint, its backups."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from plugins.clients import audits, dependencies
from plugins.clients.audits import Audit
from plugins.clients.blueprint import BlueprintService, blueprint_in
from plugins.clients.commands import Commands, Ran
from plugins.clients.dependencies import Requirements
from plugins.clients.http import Record
from plugins.clients.migration_files import migrations_in
from plugins.model.migrations import MigrationFile
from plugins.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from plugins.model.outside import Project

_MARGIN_S = 2.0
"""What is left of an item's time for telling that its command was not done."""

_CONFLICTS = ("conflicting dependencies", "ResolutionImpossible")
_OUT_OF_STEP = ("in sync", "EUSAGE")


@dataclass(frozen=True, slots=True)
class Installed:
    """Whether something can be installed.

    Attributes:
        possible: None where it could not be tried.
        told: what the installer says, in one line.
    """

    possible: bool | None
    told: str


class ProjectClient:
    """One checkout. Nothing in it is changed by us; what its own commands do is theirs.

    Args:
        table: the environment's [project].
        root: the folder of the run.
        hidden: names of environment variables that the project's commands must not see: our credentials.
        record: is told of each command.
        remaining: seconds that the current item has left.

    Raises:
        NoAnswer: there is no such folder.
    """

    def __init__(
        self,
        table: Project,
        root: Path,
        *,
        hidden: Collection[str],
        record: Record,
        remaining: Callable[[], float],
    ) -> None:
        self.folder = (root / Path(table.path).expanduser()).resolve()
        if not self.folder.is_dir():
            raise NoAnswer(
                NoAnswerKind.UNUSABLE, f"there is no checkout in {table.path}: look at [project] path"
            )
        self._table = table
        self._remaining = remaining
        self._hidden = hidden
        self._record = record
        self.commands = Commands(self.folder, hidden=hidden, record=record)

    def run_tests(self) -> Ran:
        """The project's own tests.

        Raises:
            NoAnswer: they could not be run, or were not done in time.
        """
        return self.commands.run(_spelt(self._table.test_command), within_s=self._within())

    def audit(self) -> Audit:
        """The project's security audit, or those of pip-audit and npm where it has none.

        Raises:
            Unverified: there is none of its own, and the others cannot look.
            NoAnswer: it could not be run, or was not done in time.
        """
        command = _spelt(self._table.audit_command)
        if self._exists(command):
            return audits.by_script(self.commands, command, self._within())
        exact = [self._path(name) for name in (self._table.requirements_lock, self._table.requirements)]
        lock = next((path for path in exact if path.is_file()), exact[-1])
        node = Commands(self._node, hidden=self._hidden, record=self._record)
        return audits.by_tools(self.commands, node, lock, self._node / "package-lock.json", self._within)

    def validate(self) -> Ran:
        """The project's validation of its settings: 0 all is well, 1 a failure, 2 warnings in production.

        Raises:
            Unverified: the project has none.
            NoAnswer: it could not be run, was not done in time, or ended with another code.
        """
        command = _spelt(self._table.validate_command)
        if not self._exists(command):
            raise Unverified(f"the project has no {command[0] if command else '[project] validate_command'}")
        # What it validates may be the very variables that our credentials are in.
        ran = Commands(self.folder, hidden=(), record=self._record).run(command, within_s=self._within())
        if ran.code not in {0, 1, 2}:
            raise NoAnswer(NoAnswerKind.UNUSABLE, f"{ran.command} ended with {ran.code}: {ran.last_line}")
        return ran

    def check_status(self, api_url: str, frontend_url: str) -> Ran:
        """The project's own look at the running platform: 0 all is well.

        Raises:
            Unverified: the project has no such script.
            NoAnswer: it could not be run, or was not done in time.
        """
        command = _spelt(self._table.status_command)
        if not self._exists(command):
            raise Unverified(f"the project has no {command[0] if command else '[project] status_command'}")
        return self.commands.run((*command, api_url, frontend_url), within_s=self._within())

    def requirements(self) -> Requirements:
        """What Python packages the project asks for; raises as `requirements_in`."""
        return dependencies.requirements_in(self._path(self._table.requirements))

    def locked(self) -> Requirements:
        """What the lock of the Python packages holds; raises as `requirements_in`."""
        return dependencies.requirements_in(self._path(self._table.requirements_lock))

    def install(self) -> Installed:
        """Whether the Python requirements can be installed together, as their installer sees it.

        Raises:
            NoAnswer: it was not done in time.
        """
        command = _spelt(self._table.install_command)
        if not self._exists(command):
            return Installed(None, "not tried here")
        ran = self.commands.run((*command, "-r", self._table.requirements), within_s=self._within())
        return _installed(ran, _CONFLICTS)

    def node_drift(self) -> tuple[str, ...]:
        """Where package.json and its lock disagree; raises as `dependencies.node_drift`."""
        return dependencies.node_drift(self._node)

    def node_install(self) -> Installed:
        """Whether npm takes package.json and its lock for in step.

        Raises:
            NoAnswer: it was not done in time.
        """
        command = _spelt(self._table.node_install_command)
        if not self._exists(command) or not (self._node / "package-lock.json").is_file():
            return Installed(None, "not tried here")
        commands = Commands(self._node, hidden=self._hidden, record=self._record)
        return _installed(commands.run(command, within_s=self._within()), _OUT_OF_STEP)

    def strange_addresses(self) -> tuple[str, ...]:
        """The hosts outside the registries that packages would come from; raises as the readers do."""
        addresses = [
            *self.requirements().addresses,
            *self.locked().addresses,
            *dependencies.node_addresses(self._node),
        ]
        return dependencies.strange_addresses(addresses, self._table.registries)

    def migrations(self) -> tuple[MigrationFile, ...]:
        """Every migration, in the order of application; raises as `migrations_in`."""
        return migrations_in(self._path(self._table.migrations))

    def blueprint(self) -> tuple[BlueprintService, ...]:
        """The services of the blueprint; raises as `blueprint_in`."""
        return blueprint_in(self._path(self._table.blueprint))

    def newest_backup(self) -> datetime | None:
        """When the newest file in the folder of backups was written; empty files are none."""
        folder = self._path(self._table.backups)
        files = [
            path.stat() for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
        ]
        moments = [file.st_mtime for file in files if file.st_size]
        return datetime.fromtimestamp(max(moments), UTC) if moments else None

    @property
    def _node(self) -> Path:
        return self._path(self._table.node_folder)

    def _path(self, name: str) -> Path:
        return self.folder / name

    def _exists(self, command: Sequence[str]) -> bool:
        if not command:
            return False
        program = command[0]
        return self._path(program).is_file() if "/" in program else shutil.which(program) is not None

    def _within(self) -> float:
        return min(self._table.command_timeout_s, self._remaining() - _MARGIN_S)


def _spelt(command: Sequence[str]) -> tuple[str, ...]:
    return tuple(sys.executable if word == "{python}" else word for word in command)


def _installed(ran: Ran, refusals: Sequence[str]) -> Installed:
    """The installer's exit code alone does not tell a contradiction from an index that is out of reach."""
    if ran.code == 0:
        return Installed(possible=True, told="no contradiction")
    refused = next((word for word in refusals if word in ran.tail), None)
    line = next(
        (line.strip() for line in ran.tail.splitlines() if refused and refused in line), ran.last_line
    )
    return Installed(possible=False if refused else None, told=line[:200])
