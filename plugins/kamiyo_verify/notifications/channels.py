"""Notification channels of an environment: send each message in the background, within a time limit."""

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

from kamiyo_verify.model.notifications import Delivery, Message, Notifications
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.notifications import channel_process
from kamiyo_verify.processes.background_job import BackgroundJob

_COMMAND = (sys.executable, "-P", str(Path(channel_process.__file__).resolve()))
"""-P keeps the file's folder off sys.path: it has modules with the same names as libraries."""

_GRACE_S = 0.5
"""Seconds for a sender that runs out of time to report that."""


class Channels:
    """Sends messages to every channel of an environment. No method raises, whatever a channel does.

    Args:
        table: the environment's [notifications].
    """

    def __init__(self, table: Notifications) -> None:
        self._table = table
        self._under_way: dict[str, BackgroundJob[tuple[Delivery, ...]]] = {}

    def tell(self, message: Message) -> None:
        """Send a message to every channel in the background; each channel gets its messages in order."""
        for channel in self._table.channels:
            earlier = self._under_way.get(channel.name)
            job = partial(_in_turn, earlier, channel, message, self._table.patience_s)
            self._under_way[channel.name] = BackgroundJob(job, "channel")

    def deliveries(self) -> tuple[Delivery, ...]:
        """Return the result of every message; wait little longer than one message may take."""
        until = time.monotonic() + self._table.patience_s + _GRACE_S
        used = [channel for channel in self._table.channels if channel.name in self._under_way]
        return tuple(one for channel in used for one in self._of(channel, until - time.monotonic()))

    def _of(self, channel: Credential, left_s: float) -> Sequence[Delivery]:
        try:
            return self._under_way[channel.name].outcome(left_s)
        except TimeoutError:
            return [Delivery(channel.name, _kind(channel), _silence(self._table.patience_s))]
        except Exception as error:  # noqa: BLE001 - a channel must never end a run
            return [Delivery(channel.name, problem=f"broke: {type(error).__name__}")]


def _in_turn(
    earlier: BackgroundJob[tuple[Delivery, ...]] | None,
    channel: Credential,
    message: Message,
    patience_s: float,
) -> tuple[Delivery, ...]:
    before = earlier.outcome(2 * patience_s) if earlier else ()
    return (*before, _delivered(channel, message, patience_s))


def _delivered(channel: Credential, message: Message, patience_s: float) -> Delivery:
    if not channel.present:
        return Delivery(channel.name, problem="is not set")
    order = {"address": channel.reveal().strip(), "seconds": patience_s + 1, **asdict(message)}
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter and a file of this package
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
    """Return the kind from the address alone, because the sender had no time to report it."""
    schema = re.match(r"([a-z]{2,12})://", channel.reveal().strip())
    return schema[1] if schema and not schema[1].startswith("http") else ""


def _text(output: str | bytes | None) -> str:
    """Decode the output of a process that ran out of time; Python returns it as bytes."""
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _silence(patience_s: float) -> str:
    return f"took longer than {patience_s:g} s"
