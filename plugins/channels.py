"""The channels that an environment names: each message goes out in the background, in time or not at all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from plugins.clients import channel_process
from plugins.later import Later
from plugins.model.notifications import Delivery, Message, Notifications
from plugins.model.tables import Credential

_COMMAND = (sys.executable, "-P", str(Path(channel_process.__file__).resolve()))
"""-P: the folder of that file holds modules that are called as those of libraries are."""

_GRACE_S = 0.5
"""For a sender that is ended when its time is up to say so."""


class Channels:
    """Tells every channel of an environment. Nothing here raises, whatever a channel does.

    Args:
        table: the environment's [notifications].
    """

    def __init__(self, table: Notifications) -> None:
        self._table = table
        self._under_way: dict[str, Later[tuple[Delivery, ...]]] = {}

    def tell(self, message: Message) -> None:
        """Send it to every channel, in the background; in one channel after those before it."""
        for channel in self._table.channels:
            earlier = self._under_way.get(channel.name)
            job = partial(_in_turn, earlier, channel, message, self._table.patience_s)
            self._under_way[channel.name] = Later(job, "channel")

    def deliveries(self) -> tuple[Delivery, ...]:
        """What became of all that was told; waits hardly longer than one message may take."""
        until = time.monotonic() + self._table.patience_s + _GRACE_S
        told = [channel for channel in self._table.channels if channel.name in self._under_way]
        return tuple(one for channel in told for one in self._of(channel, until - time.monotonic()))

    def _of(self, channel: Credential, left_s: float) -> Sequence[Delivery]:
        try:
            return self._under_way[channel.name].outcome(left_s)
        except TimeoutError:
            return [Delivery(channel.name, _kind(channel), _silence(self._table.patience_s))]
        except Exception as error:  # noqa: BLE001 - no channel may end a run
            return [Delivery(channel.name, problem=f"broke: {type(error).__name__}")]


def _in_turn(
    earlier: Later[tuple[Delivery, ...]] | None, channel: Credential, message: Message, patience_s: float
) -> tuple[Delivery, ...]:
    before = earlier.outcome(2 * patience_s) if earlier else ()
    return (*before, _delivered(channel, message, patience_s))


def _delivered(channel: Credential, message: Message, patience_s: float) -> Delivery:
    if not channel.present:
        return Delivery(channel.name, problem="is not set")
    order = {"address": channel.reveal().strip(), "seconds": patience_s + 1, **asdict(message)}
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that we run on, and a file of ours
            _COMMAND,
            input=json.dumps(order),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=patience_s,
            check=False,
            start_new_session=True,
        )
        kind, *problem = done.stdout.splitlines() or [""]
    except subprocess.TimeoutExpired as late:
        kind, *problem = _text(late.stdout).partition("\n")[0] or _kind(channel), _silence(patience_s)
    return Delivery(channel.name, kind, problem[0] if problem else "broke")


def _kind(channel: Credential) -> str:
    """The kind by the address alone, where nobody had the time to read it."""
    schema = re.match(r"([a-z]{2,12})://", channel.reveal().strip())
    return schema[1] if schema and not schema[1].startswith("http") else ""


def _text(output: str | bytes | None) -> str:
    """What a process that ran out of time had written; Python gives it undecoded."""
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _silence(patience_s: float) -> str:
    return f"took longer than {patience_s:g} s"
