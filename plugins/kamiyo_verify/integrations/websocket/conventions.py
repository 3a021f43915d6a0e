"""The conventions of a platform beyond RFC 6455: its own close codes, and frames that clients answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kamiyo_verify.model.credentials import RefusalKind


@dataclass(frozen=True, slots=True)
class Conventions:
    """The conventions of a platform and its clients; by default, none.

    Attributes:
        meanings: what the platform's own close codes (4000 to 4999) mean, by code.
        refusals: the close codes that refuse the credential, each with how.
        replies: the frame that a client sends after each frame of a type, by that type.
        forbidden: returns what 401 or 403 means where a WebSocket was expected; "" for nothing more.
    """

    meanings: Mapping[int, str] = field(default_factory=dict)
    refusals: Mapping[int, RefusalKind] = field(default_factory=dict)
    replies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    forbidden: Callable[[], str] = lambda: ""
