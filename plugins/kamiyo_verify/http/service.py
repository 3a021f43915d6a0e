"""Client for an outside system over HTTP; every problem is a `NoAnswer`, never a failure of our platform."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel

from kamiyo_verify.http.client import Answer, HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.credentials import by_status, refused_by_status
from kamiyo_verify.http.readable import masked_url, readable
from kamiyo_verify.model.credentials import Refusal
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer

Shape = TypeVar("Shape", bound=BaseModel)
Onward = Callable[[Answer], Mapping[str, str] | None]
"""Parameters of the page after an answer; None after the last page."""

_OK = frozenset({200})

MOST_PAGES = 100
MOST_ROWS = 10_000


class Service:
    """Requests to one outside system.

    Args:
        name: its common name.
        address: the base URL of its API; may have a path.
        credential: the NAME of the credential, for messages; "" if none is needed.
        context: shared with other clients.
        headers: sent with every request.
        confidential: no part of an answer may be shown, as it holds secrets.
    """

    def __init__(
        self,
        name: str,
        address: str,
        credential: str,
        context: ClientContext,
        *,
        headers: Mapping[str, str] | None = None,
        confidential: bool = False,
    ) -> None:
        parts = urlsplit(address)
        self.name = name
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.prefix = parts.path.rstrip("/")
        self._credential = credential
        self._confidential = confidential
        self.http = HttpClient(
            self.origin, context, headers={"Accept": "application/json", **(headers or {})}
        )

    def get(self, path: str, *, params: Mapping[str, object] | None = None, hint: str = "") -> Answer:
        """Send GET and return the answer 200, see `send`."""
        return self.send("GET", path, params=params, hint=hint)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        accepted: frozenset[int] = _OK,
        hint: str = "",
    ) -> Answer:
        """Send a request and return its answer of an accepted status.

        Args:
            method: any except HEAD.
            path: below the address, begins with "/".
            params: None is left out, a list becomes a repeated key.
            json: the body, or None.
            accepted: the statuses that count as an answer.
            hint: what to verify if the resource does not exist (404, 422).

        Raises:
            NoAnswer: no answer came, or one of another status.
        """
        answer = self.http.request(
            method, self.prefix + path, params=params, json=json, carried=by_status(self._credential)
        )
        if answer.status not in accepted:
            self._refuse(answer, hint)
        return answer

    def ask(
        self, path: str, shape: type[Shape], *, params: Mapping[str, object] | None = None, hint: str = ""
    ) -> Shape:
        """Send GET and return the answer 200 in that shape.

        Raises:
            NoAnswer: see `get` and `read`.
        """
        return self.read(self.get(path, params=params, hint=hint), shape)

    def read(self, answer: Answer, shape: type[Shape]) -> Shape:
        """Parse the answer into that shape.

        Raises:
            NoAnswer: UNUSABLE, as it has another shape, or is not JSON.
        """
        try:
            return answer.parse(shape)
        except WrongAnswer as problem:
            asked = f"{answer.method} {masked_url(answer.url)} gave no {shape.__name__.strip('_')}"
            description = f"{asked} (it is not shown)" if self._confidential else str(problem)
            message = f"{self.name} gave no usable answer: {description}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self.origin) from None

    def pages(
        self, path: str, onward: Onward, *, params: Mapping[str, object] | None = None, hint: str = ""
    ) -> Iterator[Answer]:
        """Yield every page, the first one first.

        Args:
            path: of all pages.
            onward: the parameters of the page after an answer, in addition to `params`.
            params: of all pages.
            hint: see `send`.

        Raises:
            NoAnswer: see `get`; or UNUSABLE, as the pages repeat or there are more than 100 of them.
        """
        turn: Mapping[str, str] = {}
        turns: set[tuple[tuple[str, str], ...]] = set()
        bodies: set[bytes] = set()
        for _ in range(MOST_PAGES):
            answer = self.get(path, params={**(params or {}), **turn}, hint=hint)
            yield answer
            following = onward(answer)
            if following is None:
                return
            turn = following
            mark = tuple(sorted(turn.items()))
            if mark in turns or (len(answer.body) > 2 and answer.body in bodies):  # "[]" may come twice
                self.unusable(f"GET {self.origin}{self.prefix}{path} pages in a circle")
            turns.add(mark)
            bodies.add(answer.body)
        self.unusable(f"GET {self.origin}{self.prefix}{path} has more than {MOST_PAGES} pages")

    def unusable(self, what: str) -> NoReturn:
        """Report that an answer cannot be used.

        Raises:
            NoAnswer: always.
        """
        raise NoAnswer(NoAnswerKind.UNUSABLE, readable(what, longest=600), self.origin)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def _refuse(self, answer: Answer, hint: str) -> NoReturn:
        asked = f"{answer.method} {masked_url(answer.url).partition('?')[0]} answered {answer.status}"
        kind, why = self._describe(answer, hint)
        refused = refused_by_status(answer) if kind is NoAnswerKind.CREDENTIAL else None
        refusal = Refusal(self._credential, refused) if refused else None
        raise NoAnswer(kind, f"{asked}: {why}", self.origin, refusal)

    def _describe(self, answer: Answer, hint: str) -> tuple[NoAnswerKind, str]:
        """Kind and message for a status that is not accepted, with advice."""
        match answer.status:
            case 403 if _exhausted(answer):
                return NoAnswerKind.RATE_LIMITED, f"{self.name}'s rate limit is used up{_until(answer)}"
            case 420:  # Statuspage's own
                return NoAnswerKind.RATE_LIMITED, f"{self.name}'s rate limit is used up"
            case 401:
                return NoAnswerKind.CREDENTIAL, self._unaccepted("is not accepted; it may have expired")
            case 403:
                return NoAnswerKind.CREDENTIAL, self._unaccepted("does not allow this; look at its scopes")
            case 404 | 410 | 422 if hint:
                return NoAnswerKind.UNUSABLE, readable(hint)
            case _ if self._confidential:
                return NoAnswerKind.UNUSABLE, f"what {self.name} said is not shown"
            case _:
                return NoAnswerKind.UNUSABLE, f"{self.name} said {answer.excerpt}"

    def _unaccepted(self, why: str) -> str:
        return f"{self._credential} {why}" if self._credential else f"{self.name} refuses to answer"


def segment(text: str, safe: str = "") -> str:
    """Encode a text as one part of a path, whatever it holds."""
    return quote(text, safe=safe, errors="replace")


def _exhausted(answer: Answer) -> bool:
    """The rate limit is used up: GitHub sends 403 where others send 429."""
    return answer.headers.get("x-ratelimit-remaining", "").strip() == "0" or "retry-after" in answer.headers


def _until(answer: Answer) -> str:
    reset = answer.headers.get("x-ratelimit-reset", "").strip()
    if reset.isascii() and reset.isdigit() and len(reset) < 12:
        return f"; it is renewed in {max(int(reset) - time.time(), 0):.0f} s"
    return ""
