"""An outside system over HTTP: its answers are read, or told as a `NoAnswer`; never as a failure of ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn, TypeVar, Unpack
from urllib.parse import quote, urlsplit

from pydantic import BaseModel

from plugins.clients.http import Answer, HttpClient
from plugins.clients.manner import Manner
from plugins.clients.readable import masked_url, readable
from plugins.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer

Shape = TypeVar("Shape", bound=BaseModel)
Onward = Callable[[Answer], Mapping[str, str] | None]
"""What to ask for the page after an answer; None after the last."""

_OK = frozenset({200})

MOST_PAGES = 100
MOST_ROWS = 10_000


class Service:
    """Questions to one outside system.

    Args:
        name: what people call it.
        address: where its API begins; may have a path.
        credential: the NAME of what proves who asks, for messages; "" where none is needed.
        manner: how to ask, see `Manner`.
        headers: sent with every request.
        confidential: nothing of an answer may be shown, as it holds secrets.
    """

    def __init__(
        self,
        name: str,
        address: str,
        credential: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        confidential: bool = False,
        **manner: Unpack[Manner],
    ) -> None:
        parts = urlsplit(address)
        self.name = name
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.prefix = parts.path.rstrip("/")
        self._credential = credential
        self._confidential = confidential
        self.http = HttpClient(
            self.origin,
            headers={"Accept": "application/json", **(headers or {})},
            **manner,
        )

    def get(self, path: str, *, params: Mapping[str, object] | None = None, hint: str = "") -> Answer:
        """GET, as `send` does it: the answer 200."""
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
        """The answer of an accepted status.

        Args:
            method: any but HEAD.
            path: below the address, begins with "/".
            params: None is left out, a list is a key said several times.
            json: the body, or None.
            accepted: the statuses that are an answer.
            hint: what to look at when there is no such thing (404, 422).

        Raises:
            NoAnswer: there was none, or one of another status.
        """
        answer = self.http.request(method, self.prefix + path, params=params, json=json)
        if answer.status not in accepted:
            self._refuse(answer, hint)
        return answer

    def ask(
        self, path: str, shape: type[Shape], *, params: Mapping[str, object] | None = None, hint: str = ""
    ) -> Shape:
        """The answer 200 in that shape.

        Raises:
            NoAnswer: as of `get` and `read`.
        """
        return self.read(self.get(path, params=params, hint=hint), shape)

    def read(self, answer: Answer, shape: type[Shape]) -> Shape:
        """The answer in that shape.

        Raises:
            NoAnswer: UNUSABLE, it has another, or is no JSON.
        """
        try:
            return answer.parse(shape)
        except WrongAnswer as problem:
            asked = f"{answer.method} {masked_url(answer.url)} gave no {shape.__name__.strip('_')}"
            told = f"{asked} (it is not shown)" if self._confidential else str(problem)
            message = f"{self.name} gave no usable answer: {told}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self.origin) from None

    def pages(
        self, path: str, onward: Onward, *, params: Mapping[str, object] | None = None, hint: str = ""
    ) -> Iterator[Answer]:
        """Every page, the first one first.

        Args:
            path: of all pages.
            onward: what to ask for the page after an answer, in addition to `params`.
            params: of all pages.
            hint: as of `get`.

        Raises:
            NoAnswer: as of `get`; or UNUSABLE, for pages in a circle and for more than 100 of them.
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
        """Tell that an answer cannot be used.

        Raises:
            NoAnswer: always.
        """
        raise NoAnswer(NoAnswerKind.UNUSABLE, readable(what, longest=600), self.origin)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def _refuse(self, answer: Answer, hint: str) -> NoReturn:
        asked = f"{answer.method} {masked_url(answer.url).partition('?')[0]} answered {answer.status}"
        kind, why = self._told(answer, hint)
        raise NoAnswer(kind, f"{asked}: {why}", self.origin)

    def _told(self, answer: Answer, hint: str) -> tuple[NoAnswerKind, str]:
        """What a status other than 200 means, and what to do."""
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
    """A text as a part of a path, whatever it holds."""
    return quote(text, safe=safe, errors="replace")


def _exhausted(answer: Answer) -> bool:
    """GitHub says 403 where others say 429."""
    return answer.headers.get("x-ratelimit-remaining", "").strip() == "0" or "retry-after" in answer.headers


def _until(answer: Answer) -> str:
    reset = answer.headers.get("x-ratelimit-reset", "").strip()
    if reset.isascii() and reset.isdigit() and len(reset) < 12:
        return f"; it is renewed in {max(int(reset) - time.time(), 0):.0f} s"
    return ""
