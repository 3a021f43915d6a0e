"""Search log lines for the runbook's patterns, and group similar errors."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kamiyo_verify.model.hosting.signals import LogLine
from kamiyo_verify.model.runbook import LogPattern, Runbook

_LONGEST = 160
_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\b[0-9a-f]{12,}\b|\d+(?:[.,:]\d+)*", re.IGNORECASE
)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Sign:
    """One pattern of runbook.toml, and its first match in a log.

    Attributes:
        line: the first line that matches, shortened; "" if none does.
        at: the time of that line.
        remedy: the title of the remedy, or "".
    """

    pattern: LogPattern
    line: str = ""
    at: datetime | None = None
    remedy: str = ""

    @property
    def seen(self) -> bool:
        """Whether a line matches."""
        return self.at is not None

    def __str__(self) -> str:
        shown = f'"{self.line}"' if self.seen else f"no {self.pattern.id} ({self.pattern.pattern})"
        remedy = f"; remedy: {self.remedy}" if self.remedy else ""
        return f"{shown}: {self.pattern.shows}{remedy}"


@dataclass(frozen=True, slots=True)
class Signs:
    """The results of all patterns for one service's log.

    Attributes:
        lines: number of lines read.
        complete: whether all lines were read.
    """

    signs: tuple[Sign, ...]
    lines: int
    complete: bool = True

    @property
    def good(self) -> tuple[Sign, ...]:
        """The good patterns that match."""
        return tuple(sign for sign in self.signs if sign.pattern.sign == "good" and sign.seen)

    @property
    def good_lines(self) -> dict[str, str]:
        """The line that matches each good pattern, by the pattern's id in snake_case."""
        return {sign.pattern.id.replace("-", "_"): sign.line for sign in self.good}

    @property
    def lacking(self) -> tuple[Sign, ...]:
        """The required good patterns that do not match."""
        return tuple(
            sign
            for sign in self.signs
            if sign.pattern.sign == "good" and not sign.seen and not sign.pattern.optional
        )

    @property
    def bad(self) -> tuple[Sign, ...]:
        """The bad patterns that match and are not optional."""
        return tuple(
            sign
            for sign in self.signs
            if sign.pattern.sign == "bad" and sign.seen and not sign.pattern.optional
        )

    def one(self, pattern_id: str) -> Sign:
        """Return the result of one pattern.

        Raises:
            LookupError: runbook.toml has no pattern with that id for this service.
        """
        for sign in self.signs:
            if sign.pattern.id == pattern_id:
                return sign
        raise LookupError(f"runbook.toml has no log pattern {pattern_id} for this service")


def signs_in(lines: Sequence[LogLine], service: str, runbook: Runbook, *, complete: bool = True) -> Signs:
    """Search a service's log for every pattern.

    Args:
        lines: log lines, in order of time.
        service: name of the service, such as "api".
        runbook: contains the patterns.
        complete: whether `lines` has all lines of the log.
    """
    found = []
    for pattern in runbook.log_patterns:
        if pattern.service in {service, "any"}:
            line = next((one for one in lines if re.search(pattern.pattern, plain(one.message))), None)
            remedy = runbook.remedy(pattern.remedy)
            found.append(
                Sign(
                    pattern,
                    line=short(line.message) if line else "",
                    at=line.timestamp if line else None,
                    remedy=remedy.title if remedy else "",
                )
            )
    return Signs(tuple(found), len(lines), complete)


def grouped(lines: Iterable[LogLine]) -> tuple[tuple[str, int], ...]:
    """Group messages that differ only in numbers and ids, the most frequent group first.

    Returns:
        The first message of each group, shortened, and the group's size.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for line in lines:
        kind = _VARYING.sub("#", plain(line.message))
        first.setdefault(kind, short(line.message))
        counts[kind] += 1
    return tuple((first[kind], count) for kind, count in counts.most_common())


def plain(message: str) -> str:
    """Return a line without colour codes."""
    return _COLOUR.sub("", message)


def short(message: str) -> str:
    """Return a line for display: printable and of limited length."""
    printable = "".join(one if one.isprintable() else " " for one in plain(message))
    return textwrap.shorten(printable, _LONGEST, placeholder=" …")
