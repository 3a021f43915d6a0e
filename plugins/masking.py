"""No secret in any output: what is known by value, and what looks like a secret, is replaced."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeVar
from urllib.parse import quote, quote_plus, unquote, urlsplit

from plugins.channel_addresses import secrets_of
from plugins.model.environment import Environment

HIDDEN = "***"

_SHORT = 6
"""Below this a value stands in too many words: it is masked only where it is a word by itself."""

_SHORTEST = 3
"""Below this a value is no secret, and masking it would leave no text readable."""

_WORD = 120
"""Up to this many characters a text is likely to come again, as keys, ids and the runbook's own lines do."""

_CUT = 6
"""From this many characters on, what an ellipsis has left of a value is masked too."""

# The shapes of the secrets that the services here hand out. What a group named `keep…` holds stays readable.
_PATTERNS = re.compile(
    r"""
      (?P<keep>\b(?:sk|rk|pk)_(?:live|test)_)[A-Za-z0-9]{4,}      # Stripe: keys
    | (?P<keep2>\bwhsec_)[A-Za-z0-9+/=]{4,}                       # Stripe, Standard Webhooks: signing secrets
    | (?P<keep3>\brnd_)[A-Za-z0-9]{4,}                            # Render
    | (?P<keep4>\b(?:gh[pousr]_|github_pat_))[A-Za-z0-9_]{8,}     # GitHub
    | (?P<keep5>\bBearer\s+)[A-Za-z0-9._~+/=-]{8,}                # Authorization
    | (?P<keep10>(?-i:\bBasic)\s+)(?-i:(?=[A-Za-z0-9+/]*(?:[a-z][A-Z]|[0-9=])))[A-Za-z0-9+/=]{6,}
    | (?P<keep6>\bOAuth\s+)[A-Za-z0-9._~+/=-]{12,}                # Statuspage
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*  # JSON Web Tokens, signed or encrypted
    | (?P<keep7>\b[a-z][a-z0-9+.-]*://)[^\s/@'"<>]+:[^\s/@'"<>]+(?=@)  # user:password in a URL
    | (?P<keep8>[?&;](?:amp;)?(?:[a-z_-]*token|key|api_?key|secret|password|session|code|state|signature)=)
      [^\s&;'"<>\\]+                                              # in a URL's query
    | (?P<keep9>\bv1=)[0-9a-f]{32,}                               # Stripe-Signature
    """,
    re.VERBOSE | re.IGNORECASE,
)

_NO_TEXT = frozenset({int, float, bool, type(None)})

T = TypeVar("T")


class Masker:
    """Replaces secrets in text and in JSON-safe data.

    Args:
        spared: words of the report itself, such as the environment's name. A credential equal to one of them
            is no secret, and masking it would make the report unreadable.
    """

    def __init__(self, spared: Iterable[str] = ()) -> None:
        self._spared = {word.casefold() for word in spared}
        self._names: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._heads: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None
        self._remembered = lru_cache(maxsize=65_536)(self._masked)

    def learn(self, environment: Environment) -> None:
        """Know every credential of an environment by its value, in each form in which it may be written."""
        present = [one for one in environment.credentials.values() if one.present]
        self.learn_values({credential.name: credential.reveal() for credential in present})
        for channel in environment.notifications.channels:
            for part in secrets_of(channel.reveal()) if channel.present else ():
                self.learn_values({channel.name: part})

    def learn_values(self, values: Mapping[str, str]) -> None:
        """Know these values by their names."""
        for name, value in values.items():
            for part in _parts(value.strip()):
                if len(part) < _SHORTEST or part.casefold() in self._spared:
                    continue
                self._values.setdefault(part, name)
                for form in _forms(part):
                    self._names.setdefault(form, name)
        self._heads = frozenset(form[0] for form in self._names)
        # The longest first, so that no value is left half visible by another that is a part of it.
        alternatives = [_pattern(form) for form in sorted(self._names, key=len, reverse=True)]
        self._known = re.compile("|".join(alternatives)) if alternatives else None
        self._remembered.cache_clear()

    def text(self, text: str) -> str:
        """The text without secrets: `[NAME]` for a known credential, `***` for what looks like one."""
        return self._remembered(text) if len(text) <= _WORD else self._masked(text)

    def _masked(self, text: str) -> str:
        text = self.values_in(text)
        if "..." in text:
            text = self._without_cut_values(text)
        return _PATTERNS.sub(_hide, text)

    def values_in(self, text: str) -> str:
        """As `text`, but known values only: for files whose own code may look like a secret."""
        return text if self._known is None else self._known.sub(self._named, text)

    def data(self, data: T) -> T:
        """JSON-safe data of the same shape, each string in it without secrets."""
        return self._data(data)  # type: ignore[return-value]

    def begun_in(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of a known value."""
        longest = max(map(len, self._names), default=0)
        for start in range(max(0, len(text) - longest + 1), len(text)):
            tail = text[start:]
            if tail[0] in self._heads and any(form.startswith(tail) for form in self._names):
                return len(tail)
        return 0

    def _data(self, data: object) -> object:
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, dict):
            text, within = self.text, self._data
            return {
                # Nearly all of a report are plain texts and numbers: no further call for these.
                text(key) if type(key) is str else within(key): (
                    value if type(value) in _NO_TEXT else text(value) if type(value) is str else within(value)
                )
                for key, value in data.items()
            }
        if isinstance(data, list):
            return [self._data(value) for value in data]
        return tuple(self._data(value) for value in data) if isinstance(data, tuple) else data

    def _named(self, found: re.Match[str]) -> str:
        return f"[{self._names[found.group()]}]"

    def _without_cut_values(self, text: str) -> str:
        """An ellipsis may have cut a value in two, as pytest's own shortening of local variables does."""
        pieces = text.split("...")
        for here, following in zip(range(len(pieces)), range(1, len(pieces)), strict=False):
            for value, name in self._values.items():
                if left := _overlap(value, pieces[here], at_end=True):
                    pieces[here] = f"{pieces[here][:-left]}[{name}]"
                if right := _overlap(value, pieces[following], at_end=False):
                    pieces[following] = f"[{name}]{pieces[following][right:]}"
        return "...".join(pieces)


def _overlap(value: str, piece: str, *, at_end: bool) -> int:
    """How many characters of a value, its head or its tail, stand at the cut end of a piece."""
    for length in range(len(value) - 1, _CUT - 1, -1):
        if piece.endswith(value[:length]) if at_end else piece.startswith(value[-length:]):
            return length
    return 0


def _parts(value: str) -> Iterator[str]:
    """A value, its lines if it has several, and the password and the user:password of a URL."""
    yield value
    lines = value.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines)
    if "://" in value:
        try:
            parts = urlsplit(value)
        except ValueError:
            return
        if parts.password:
            yield from {parts.password, unquote(parts.password), f"{parts.username}:{parts.password}"}


def _forms(value: str) -> Iterator[str]:
    """The value as it is, and as it looks in a URL, in JSON, in Python, in HTML, in base64 and in hex."""
    yield value
    yield from (html.escape(value), html.escape(value, quote=False))
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    yield from (quote(value), quote(value, safe=""), quote_plus(value))
    if len(value) >= _SHORT:
        raw = value.encode()
        for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
            yield from (encoded.decode(), encoded.decode().rstrip("="))
        yield from (raw.hex(), raw.hex().upper())


def _pattern(form: str) -> str:
    if len(form) >= _SHORT:
        return re.escape(form)
    return rf"(?<![A-Za-z0-9_]){re.escape(form)}(?![A-Za-z0-9_])"


def _hide(found: re.Match[str]) -> str:
    kept = next((text for name, text in found.groupdict().items() if text is not None), "")
    return kept + HIDDEN
