"""An answer over HTTP, and how a check or a client reads it without trusting it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from plugins.clients.readable import masked_url, readable, without
from plugins.model.outcomes import NoAnswer, NoAnswerKind, ServerBroke, WrongAnswer

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Shape = TypeVar("Shape", bound=BaseModel)

_REQUEST_ID_HEADERS = ("x-request-id", "rndr-id", "cf-ray")
_CHARSETS = frozenset({"utf-8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "latin-1", "windows-1252"})
_EXCERPT_BYTES = 4_096
_TITLE_WITHIN = 100_000
# Bounded everywhere: a page of nothing but "<title" would take quadratic time otherwise.
_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,500}?)</title>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, its body bounded.

    Attributes:
        url: what was asked in the end, after redirects within the origin.
        body: unpacked, at most 1 MiB of it.
        elapsed_ms: from the request's beginning (set-up of the connection included) to its last byte.
        truncated: there was more of the body.
        first_byte_ms: from the request's beginning to the end of the headers.
        connecting_ms: how much of both was name lookup, connection and TLS; 0 on a standing connection.
        secrets: what the request carried, for masking where the server echoes it.
    """

    method: str
    url: str = field(repr=False)
    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    elapsed_ms: float
    truncated: bool = False
    first_byte_ms: float = field(default=0.0, repr=False)
    connecting_ms: float = field(default=0.0, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def request_id(self) -> str:
        """The platform's own id of the request, or ""."""
        found = next((self.headers[name] for name in _REQUEST_ID_HEADERS if name in self.headers), "")
        return readable(without(self.secrets, found), longest=100)

    @property
    def ok(self) -> bool:
        """The status is 2xx."""
        return 200 <= self.status < 300

    @property
    def path(self) -> str:
        """What was asked of the origin, without the query."""
        return urlsplit(self.url).path or "/"

    @property
    def allowed_origin(self) -> str | None:
        """Whose pages may read this answer: `Access-Control-Allow-Origin`; None where nobody's may."""
        origin: str | None = self.headers.get("access-control-allow-origin")
        return origin

    @property
    def title(self) -> str:
        """The title of an HTML page, inert; "" where it has none."""
        found = _TITLE.search(self.text[:_TITLE_WITHIN])
        return readable(unescape(found[1])) if found else ""

    def search(self, pattern: str) -> str:
        """The first match of a regular expression in the body, inert and at most 80 characters; or ""."""
        found = re.search(pattern, self.text)
        return readable(without(self.secrets, found[0]), longest=80) if found else ""

    @property
    def text(self) -> str:
        """The body as text; what the charset does not explain is replaced."""
        return self.body.decode(self._charset, errors="replace")

    @property
    def media_type(self) -> str:
        """Content-Type without its parameters, in lower case; "" where there is none."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def excerpt(self) -> str:
        """The beginning of the body, inert, at most 300 characters, no secrets; of binary only the size."""
        if not self.body:
            return "an empty body"
        start = self.body[:_EXCERPT_BYTES].decode(self._charset, errors="replace")
        odd = sum(1 for char in start if char == "\ufffd" or (char < " " and not char.isspace()))
        if "\0" in start or odd * 4 > len(start):
            kind = readable(self.media_type, longest=60) or "something"
            return f"{len(self.body)}{' or more' if self.truncated else ''} bytes of {kind}"
        return readable(without(self.secrets, start))

    def json(self) -> object:
        """The body as JSON.

        Raises:
            WrongAnswer: it is none, or one that readers do not agree on (NaN, endless numbers or nesting).
        """
        if self.truncated:
            raise self._wrong("more than 1 MiB, where JSON was expected")
        try:
            return json.loads(self.body, parse_constant=_refuse_constant)
        except RecursionError:
            raise self._wrong("JSON nested too deep to read") from None
        except ValueError:  # JSONDecodeError, UnicodeDecodeError, and an int of more digits than Python reads
            raise self._wrong(f"no JSON: {self.excerpt}") from None

    def parse(self, shape: type[Shape]) -> Shape:
        """The body as JSON of that shape.

        Raises:
            WrongAnswer: it is no JSON or has another shape; names the field and what was expected.
        """
        value = self.json()
        try:
            return shape.model_validate(value)
        except ValidationError as problem:
            errors = problem.errors(include_url=False, include_context=False)
        except (RecursionError, OverflowError):
            raise self._wrong(f"a value that no {shape.__name__} can hold") from None
        told = "; ".join(self._field_told(error) for error in errors[:3])
        more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
        raise self._wrong(f"another shape than {shape.__name__}: {told}{more}")

    def told(self, expected: str) -> str:
        """A sentence for an assertion: what was asked, what came instead of what, and how its body begins."""
        onward = f" to {self._location}" if self._location else ""
        return f"{self._asked} answered {self.status}{onward} where {expected} was expected: {self.excerpt}"

    def wanted(self) -> Answer:
        """Itself, where its status is 200.

        Raises:
            ServerBroke: it is 500 or more.
            WrongAnswer: it is another.
        """
        if self.status >= 500:
            raise ServerBroke(self.told("200"))
        if self.status != 200:
            raise WrongAnswer(self.told("200"))
        return self

    def page(self) -> Answer:
        """Itself, where it is 200 and HTML, whole.

        Raises:
            WrongAnswer: it is not; as of `wanted`.
        """
        if self.wanted().media_type != "text/html":
            raise WrongAnswer(self.told("text/html"))
        if self.truncated:
            raise self._wrong("more than 1 MiB, where a page was expected")
        return self

    def usable(self) -> Answer:
        """Itself.

        Raises:
            NoAnswer: UNUSABLE, for a status of 500 or more.
        """
        if self.status >= 500:
            parts = urlsplit(self.url)
            message = f"{self._asked} of {parts.netloc} answered {self.status}: {self.excerpt}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, f"{parts.scheme}://{parts.netloc}")
        return self

    @property
    def _charset(self) -> str:
        # A short list: Python also knows charsets that are no text at all, or take quadratic time.
        named = self.headers.get("content-type", "").lower().partition("charset=")[2]
        charset = named.partition(";")[0].strip(" \"'")
        return charset if charset in _CHARSETS else "utf-8"

    @property
    def _asked(self) -> str:
        parts = urlsplit(masked_url(self.url))
        return f"{self.method} {parts.path or '/'}{'?' + parts.query if parts.query else ''}"

    @property
    def _location(self) -> str:
        location = self.headers.get("location", "") if 300 <= self.status < 400 else ""
        return readable(without(self.secrets, masked_url(location))) if location else ""

    def _field_told(self, error: ErrorDetails) -> str:
        place = ".".join(str(step) for step in error["loc"]) or "the whole"
        given = error["input"]
        shown = repr(given)[:80] if isinstance(given, str | int | float | None) else _KINDS[type(given)]
        got = "" if error["type"] == "missing" else f", not {without(self.secrets, shown)}"
        return readable(f"{place}: {error['msg']}{got}", longest=200)

    def _wrong(self, what: str) -> WrongAnswer:
        return WrongAnswer(f"{self._asked} answered {self.status} with {what}")


_KINDS: dict[type, str] = {dict: "an object", list: "a list"}


def _refuse_constant(name: str) -> object:
    raise ValueError(f"JSON has no {name}")
