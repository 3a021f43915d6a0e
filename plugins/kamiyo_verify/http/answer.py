"""An HTTP answer, and safe ways for checks and clients to read it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from kamiyo_verify.http.bodies import require_unpacked
from kamiyo_verify.http.json_text import UnreadableJson, read_json
from kamiyo_verify.http.readable import masked_url, readable, without
from kamiyo_verify.model.outcomes import (
    ImproperAnswer,
    ImproperKind,
    NoAnswer,
    NoAnswerKind,
    ServerBroke,
    WrongAnswer,
    WrongStatus,
)
from kamiyo_verify.model.writing.text import cut, safe_data

if TYPE_CHECKING:
    import httpx2
    from pydantic_core import ErrorDetails

Shape = TypeVar("Shape", bound=BaseModel)

_REQUEST_ID_HEADERS = ("x-request-id", "rndr-id", "cf-ray")
_CHARSETS = frozenset({"utf-8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "latin-1", "windows-1252"})
_SURROGATE = b"\\ud"
_EXCERPT_BYTES = 4_096
_TITLE_WITHIN = 100_000
# Every repetition is bounded: a page of nothing but "<title" would otherwise take quadratic time.
_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,500}?)</title>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer with a bounded body.

    Attributes:
        url: the final URL, after redirects within the origin.
        body: decompressed, at most 1 MiB.
        elapsed_ms: from the start of the request (connection set-up included) to the last byte.
        truncated: the body was longer than `body`.
        first_byte_ms: from the start of the request to the end of the headers.
        connecting_ms: the part of both spent on name lookup, connection and TLS; 0 on a reused connection.
        secrets: secrets of the request, masked where the server echoes them.
    """

    method: str
    url: str = field(repr=False)
    status: int
    headers: httpx2.Headers = field(repr=False)
    body: bytes = field(repr=False)
    elapsed_ms: float
    truncated: bool = False
    first_byte_ms: float = field(default=0.0, repr=False)
    connecting_ms: float = field(default=0.0, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def request_id(self) -> str:
        """The platform's own request id, or ""."""
        found = next((self.headers[name] for name in _REQUEST_ID_HEADERS if name in self.headers), "")
        return readable(without(self.secrets, found), longest=100)

    @property
    def ok(self) -> bool:
        """The status is 2xx."""
        return 200 <= self.status < 300

    @property
    def path(self) -> str:
        """The URL's path, without the query."""
        return urlsplit(self.url).path or "/"

    @property
    def allowed_origin(self) -> str | None:
        """The origin in `Access-Control-Allow-Origin`; None without that header."""
        origin: str | None = self.headers.get("access-control-allow-origin")
        return origin

    @property
    def title(self) -> str:
        """The title of an HTML page, escaped for display; "" if it has none."""
        found = _TITLE.search(self.text[:_TITLE_WITHIN])
        return readable(unescape(found[1])) if found else ""

    def search(self, pattern: str | re.Pattern[str]) -> str:
        """The first match of a regular expression in the body, escaped, at most 80 characters; or ""."""
        found = re.search(pattern, self.text)
        return readable(without(self.secrets, found[0]), longest=80) if found else ""

    @property
    def text(self) -> str:
        """The body as text; bytes that are invalid in the charset are replaced."""
        require_unpacked(self.body, self.headers.get("content-encoding", ""), self.url)
        return self.body.decode(self._charset, errors="replace")

    @property
    def media_type(self) -> str:
        """Content-Type without its parameters, in lower case; "" if the header is missing."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def excerpt(self) -> str:
        """The start of the body, escaped, without secrets, at most 300 characters; for binary the size."""
        if not self.body:
            return "an empty body"
        start = self.body[:_EXCERPT_BYTES].decode(self._charset, errors="replace")
        odd = sum(1 for char in start if char == "\ufffd" or (char < " " and not char.isspace()))
        if "\0" in start or odd * 4 > len(start):
            kind = readable(self.media_type, longest=60) or "something"
            return f"{len(self.body)}{' or more' if self.truncated else ''} bytes of {kind}"
        return readable(without(self.secrets, start))

    def json(self) -> object:
        """The body as JSON, read by `read_json`.

        Raises:
            ImproperAnswer: the body is not JSON, or is ambiguous JSON.
            NoAnswer: UNUSABLE, as it is packed in an encoding that is not known here.
        """
        require_unpacked(self.body, self.headers.get("content-encoding", ""), self.url)
        if self.truncated:
            raise self._improper("more than 1 MiB, where JSON was expected", ImproperKind.TOO_LARGE)
        try:
            return safe_data(read_json(self.body))
        except UnreadableJson as why:
            what = "an HTML page where JSON was expected" if self.is_html else str(why)
            raise self._improper(f"{what}: {self.excerpt}", ImproperKind.NOT_JSON) from None

    @property
    def is_html(self) -> bool:
        """The body is an HTML page, by its media type or by its first characters."""
        start = self.body[:_EXCERPT_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
        return self.media_type == "text/html" or start.startswith((b"<!doctype html", b"<html"))

    def parse(self, shape: type[Shape]) -> Shape:
        """The body as JSON of that shape.

        Raises:
            WrongFormat: the body is not JSON, or not of that shape as a whole.
            WrongAnswer: one row has another shape; the message names the field and what was expected.
        """
        value = self.json()
        try:
            return shape.model_validate(value)
        except ValidationError as problem:
            errors = problem.errors(include_url=False, include_context=False)
        except (RecursionError, OverflowError):
            raise self._wrong(f"a value that no {shape.__name__} can hold") from None
        description = "; ".join(self._describe_field(error) for error in errors[:3])
        more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
        what = f"another shape than {shape.__name__}: {description}{more}"
        in_rows = any(isinstance(step, int) for error in errors for step in error["loc"])
        raise self._wrong(what) if in_rows else self._improper(what, ImproperKind.NOT_JSON)

    def mismatch(self, expected: str) -> str:
        """A sentence for an assertion: request, expected and actual result, start of the body."""
        onward = f" to {self._location}" if self._location else ""
        answered = f"{self._request_line} answered {self.status}{onward}"
        return f"{answered} where {expected} was expected: {self.excerpt}"

    def wanted(self) -> Answer:
        """The answer itself if its status is 200; raises like `expect`."""
        return self.expect(200)

    def expect(self, status: int) -> Answer:
        """The answer itself if it has that status.

        Raises:
            ServerBroke: the status is 500 or more.
            ImproperAnswer: a redirect was not followed: it leads to another origin, or is part of a loop.
            WrongStatus: any other status.
        """
        if self.status == status:
            return self
        if self.status >= 500:
            raise ServerBroke(self.mismatch(str(status)))
        if 300 <= self.status < 400:
            raise ImproperAnswer(self.mismatch(str(status)), ImproperKind.REDIRECT)
        raise WrongStatus(self.mismatch(str(status)))

    def page(self) -> Answer:
        """The answer itself if it is a complete HTML page with status 200.

        Raises:
            ImproperAnswer: the answer is not a complete HTML page.
            WrongAnswer: see `wanted`.
        """
        if self.wanted().media_type != "text/html":
            raise ImproperAnswer(self.mismatch("text/html"), ImproperKind.NOT_A_PAGE)
        if self.truncated:
            raise self._improper("more than 1 MiB, where a page was expected", ImproperKind.TOO_LARGE)
        return self

    def usable(self) -> Answer:
        """The answer itself if its status is below 500.

        Raises:
            NoAnswer: UNUSABLE, for a status of 500 or more.
        """
        if self.status >= 500:
            parts = urlsplit(self.url)
            message = f"{self._request_line} of {parts.netloc} answered {self.status}: {self.excerpt}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, f"{parts.scheme}://{parts.netloc}")
        return self

    @property
    def _charset(self) -> str:
        # A short list: Python also knows charsets that are not text encodings, or that take quadratic time.
        named = self.headers.get("content-type", "").lower().partition("charset=")[2]
        charset = named.partition(";")[0].strip(" \"'")
        return charset if charset in _CHARSETS else "utf-8"

    @property
    def _request_line(self) -> str:
        parts = urlsplit(masked_url(self.url))
        asked = f"{self.method} {parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        return without(self.secrets, asked)

    @property
    def _location(self) -> str:
        location = self.headers.get("location", "") if 300 <= self.status < 400 else ""
        return readable(without(self.secrets, masked_url(location))) if location else ""

    def _describe_field(self, error: ErrorDetails) -> str:
        place = ".".join(str(step) for step in error["loc"]) or "the whole"
        given = error["input"]
        shown = cut(repr(given), 80) if isinstance(given, str | int | float | None) else _KINDS[type(given)]
        got = "" if error["type"] == "missing" else f", not {without(self.secrets, shown)}"
        return readable(f"{place}: {error['msg']}{got}", longest=200)

    def _wrong(self, what: str) -> WrongAnswer:
        return WrongAnswer(f"{self._request_line} answered {self.status} with {what}")

    def _improper(self, what: str, kind: ImproperKind) -> ImproperAnswer:
        return ImproperAnswer(f"{self._request_line} answered {self.status} with {what}", kind)


_KINDS: dict[type, str] = {dict: "an object", list: "a list"}
