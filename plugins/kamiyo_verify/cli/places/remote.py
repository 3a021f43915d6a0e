"""The commands that reach a place: by the system's ssh client, or on this machine."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kamiyo_verify.model.places.settings import PlaceSettings

_SSH = (
    *("ssh", "-T"),
    *("-o", "BatchMode=yes"),  # never a question: nobody may be there to answer
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=10"),
    *("-o", "ServerAliveCountMax=3"),
    *("-o", "ForwardAgent=no"),
    *("-o", "ForwardX11=no"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "ControlMaster=no"),  # a master that stays would keep our pipes open
    *("-o", "RemoteCommand=none"),
)
"""Whether a host's key is trusted is decided by the user's own configuration, and never here."""


@dataclass(frozen=True, slots=True)
class Order:
    """What every place is to run.

    Attributes:
        environment: as `--env` names it.
        mark: what is selected, as -m names it.
        commit: the commit that should be answering, or "".
        within_s: seconds after which a place ends its run by itself.
        folder: the folder of all reports at a place, relative to its project.
        more: further arguments of pytest.
    """

    environment: str
    mark: str
    commit: str
    within_s: float
    folder: str
    more: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remote:
    """A place and how it is reached.

    Attributes:
        root: this project's folder.
    """

    name: str
    settings: PlaceSettings
    root: Path

    @property
    def address(self) -> str:
        """Where it is, in words."""
        return self.settings.ssh or "this machine"

    def run_command(self, order: Order) -> list[str]:
        """Return the command that runs the verification there."""
        words = [
            *(self.settings.python or self._usual_python(), "-m", "kamiyo_verify.cli", "places", "here"),
            *(f"--env={order.environment}", f"--place={self.name}", "-m", order.mark),
            *([f"--commit={order.commit}"] if order.commit else []),
            *(f"--report-dir={order.folder}/{self.name}", f"--within={order.within_s:g}"),
            *(f"--variable={name}" for name in self.settings.variables),
            *order.more,
        ]
        return self._reached(words)

    def _usual_python(self) -> str:
        return sys.executable if self.settings.local else ".venv/bin/python"

    def fetch_command(self, order: Order) -> list[str]:
        """Return the command that writes the report's folder as a tar archive to its standard output."""
        return self._reached(["tar", "-c", "-f", "-", "-C", order.folder, self.name])

    def _reached(self, words: Sequence[str]) -> list[str]:
        line = f"cd {shlex.quote(self.settings.folder)} && exec {shlex.join(words)}"
        if self.settings.ssh is None:
            return ["sh", "-c", line]
        config = self.settings.ssh_config
        chosen = ["-F", str(self.root / config)] if config else []
        return [*_SSH, *chosen, "--", self.settings.ssh, line]
