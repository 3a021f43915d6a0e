"""Lines of pods' logs: their time, and their level where the line tells one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from kamiyo_verify.model.hosting.signals import LogLabel, LogLine

_FIELDS = ("level", "severity", "lvl", "levelname", "log.level")
_LEVELS = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "notice": "info",
    "warn": "warning",
    "warning": "warning",
    "err": "error",
    "error": "error",
    "critical": "error",
    "crit": "error",
    "fatal": "error",
    "panic": "error",
    "alert": "error",
    "emergency": "error",
}
_NUMBERS = {10: "debug", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "error"}
"""Levels of pino and bunyan."""
_WORD = re.compile(
    r"(?:^|[\s\[|(])(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|PANIC)(?=[\s\]|):]|$)"
)
_PAIR = re.compile(r"\blevel=\"?(\w+)")
_KLOG = re.compile(r"^([IWEF])\d{4} \d\d:\d\d:\d\d")
_KLOG_LEVELS = {"I": "info", "W": "warning", "E": "error", "F": "error"}
_HEAD = 120
"""Characters in which a line's level stands; a later word is part of the message."""


def lines_of(text: str, service_id: str, pod: str, container: str) -> Iterator[LogLine]:
    """Yield the lines of a log that was read with timestamps; text without a time is left out."""
    for number, line in enumerate(text.splitlines()):
        stamp, _, message = line.partition(" ")
        try:
            at = datetime.fromisoformat(stamp)
        except ValueError:
            continue
        if at.tzinfo is None:
            continue
        labels = [
            LogLabel(name="resource", value=service_id),
            LogLabel(name="type", value="app"),
            LogLabel(name="instance", value=pod),
        ]
        if level := level_of(message):
            labels.append(LogLabel(name="level", value=level))
        yield LogLine(
            id=f"{pod}/{container}/{stamp}/{number}", message=message, timestamp=at, labels=tuple(labels)
        )


def level_of(message: str) -> str:
    """Return "debug", "info", "warning" or "error"; "" if the line does not tell."""
    if message.lstrip().startswith("{"):
        try:
            told = json.loads(message)
        except (ValueError, RecursionError):
            told = {}
        for field in _FIELDS:
            value = told.get(field)
            if isinstance(value, int):
                return _NUMBERS.get(value, "")
            if isinstance(value, str):
                return _LEVELS.get(value.lower(), "")
        return ""
    head = message[:_HEAD]
    if found := _KLOG.search(head):
        return _KLOG_LEVELS[found[1]]
    if found := _PAIR.search(head) or _WORD.search(head):
        return _LEVELS.get(found[1].lower(), "")
    return ""
