"""The credential that a stream was opened with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Token:
    """A credential, by the variable that holds it.

    Attributes:
        variable: the environment variable; "" if none was sent.
        secrets: the forms of its value, which no message may show.
    """

    variable: str = ""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
