"""What the lines of a log say: signs to look for, and errors that are alike."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from plugins.model.hosting_signals import LogLine
from plugins.model.runbook import LogPattern, Runbook

_LONGEST = 160
_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\b[0-9a-f]{12,}\b|\d+(?:[.,:]\d+)*", re.IGNORECASE
)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Sign:
    """One pattern of runbook.toml, and whether a log shows it.

    Attributes:
        line: the first line that matches, short; "" where none does.
        at: when that was.
        remedy: the title of the way out, or "".
    """

    pattern: LogPattern
    line: str = ""
    at: datetime | None = None
    remedy: str = ""

    @property
    def seen(self) -> bool:
        """Some line matches."""
        return self.at is not None

    def __str__(self) -> str:
        shown = f'"{self.line}"' if self.seen else f"no {self.pattern.id} ({self.pattern.pattern})"
        remedy = f"; remedy: {self.remedy}" if self.remedy else ""
        return f"{shown}: {self.pattern.shows}{remedy}"


@dataclass(frozen=True, slots=True)
class Signs:
    """All signs of one service's log.

    Attributes:
        lines: how many were read.
        complete: there were no more of them.
    """

    signs: tuple[Sign, ...]
    lines: int
    complete: bool = True

    @property
    def good(self) -> tuple[Sign, ...]:
        """The good ones that were seen."""
        return tuple(sign for sign in self.signs if sign.pattern.sign == "good" and sign.seen)

    @property
    def lacking(self) -> tuple[Sign, ...]:
        """The good ones that were not, and should have been."""
        return tuple(
            sign
            for sign in self.signs
            if sign.pattern.sign == "good" and not sign.seen and not sign.pattern.optional
        )

    @property
    def bad(self) -> tuple[Sign, ...]:
        """The bad ones that were seen and matter."""
        return tuple(
            sign
            for sign in self.signs
            if sign.pattern.sign == "bad" and sign.seen and not sign.pattern.optional
        )

    def one(self, pattern_id: str) -> Sign:
        """The sign of that pattern.

        Raises:
            LookupError: runbook.toml has none of that id for this service.
        """
        for sign in self.signs:
            if sign.pattern.id == pattern_id:
                return sign
        raise LookupError(f"runbook.toml has no log pattern {pattern_id} for this service")


def signs_in(lines: Sequence[LogLine], service: str, runbook: Runbook, *, complete: bool = True) -> Signs:
    """Look for every pattern of a service.

    Args:
        lines: of its log, in the order of time.
        service: "api" or "frontend".
        runbook: has the patterns.
        complete: there are no more lines.
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
    """Messages that differ in nothing but numbers and ids together, the most frequent first.

    Returns:
        The first message of each group, short, and how many there are.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for line in lines:
        kind = _VARYING.sub("#", plain(line.message))
        first.setdefault(kind, short(line.message))
        counts[kind] += 1
    return tuple((first[kind], count) for kind, count in counts.most_common())


def plain(message: str) -> str:
    """A line without colours."""
    return _COLOUR.sub("", message)


def short(message: str) -> str:
    """A line fit to be shown: printable, and of a bounded length."""
    printable = "".join(one if one.isprintable() else " " for one in plain(message))
    return textwrap.shorten(printable, _LONGEST, placeholder=" …")
