"""Client for the public API."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from kamiyo_platform.access import AdminAccess, Cors, admin_access, readable_by_pages
from kamiyo_platform.shapes import Chains, Exploit, ExploitPage, Health, Readiness
from kamiyo_verify.config.environment import Api
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.credentials import Carried, by_status, by_tier, refused_by_status
from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Refused, Unverified

Shape = TypeVar("Shape", bound=BaseModel)

_KEY_HEADER = "X-API-Key"
_PAGES_TRIED = 5
_READ_BY_PAGES = ("/chains", "/health", "/ready")
"""Paths that our pages read; the last two have no rate limit."""


class ApiClient:
    """Sends requests as API users do: with the environment's key if it has one, or without.

    Args:
        api: the environment's table.
        http: client for the address of `[services.api]`.
    """

    def __init__(self, api: Api, http: HttpClient) -> None:
        self._api = api
        self._http = http

    def get(self, path: str, *, origin: str | None = None, **params: object) -> Answer:
        """GET with the API key, if there is one; `origin` is sent as the Origin header of a browser.

        Raises:
            Refused: the key is refused; the message says whether the same request without a key is, too.
            NoAnswer: no answer came.
        """
        return self._get(path, _from(origin), params)

    def _get(self, path: str, headers: Mapping[str, str], params: Mapping[str, object]) -> Answer:
        answer = self._http.get(
            path, params=params, headers=self.caller() | dict(headers), carried=self._carried()
        )
        kind = refused_by_status(answer)
        if kind is not None and self._api.key.present:
            raise self._refused(answer, kind, path, params)
        return answer

    def get_anonymously(self, path: str, *, origin: str | None = None, **params: object) -> Answer:
        """GET without a key."""
        return self._http.get(path, params=params, headers=_from(origin))

    def get_as_admin(self, path: str, **params: object) -> Answer:
        """GET with the admin key.

        Raises:
            LookupError: the key is not set; `needs("api.admin_key")` stops a check before that.
        """
        key = self._api.admin_key
        headers = {_KEY_HEADER: key.reveal()}
        return self._http.get(path, params=params, headers=headers, carried=by_status(key.name))

    def get_once(self, path: str) -> Answer:
        """GET with the API key, if there is one, as one exchange: for sampling."""
        return self._http.get_once(path, headers=self.caller(), carried=self._carried())

    def preflight(self, path: str, *, origin: str, method: str = "GET") -> Answer:
        """Send the CORS preflight of a browser for such a request from a page of `origin`."""
        return self._http.request(
            "OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": method}
        )

    def cors(self, origin: str) -> Cors:
        """What the API's answers let pages of an origin read, by plain requests and by a preflight.

        Paths are requested until one works; the CORS headers of the others count at any status.
        """
        answers: list[Answer] = []
        for path in _READ_BY_PAGES:
            answers.append(self.get(path, origin=origin))
            if readable_by_pages(answers[-1]):
                break
        plain = answers[-1]
        answers.append(self.preflight(plain.path, origin=origin))
        return Cors(
            allowed=frozenset(one.allowed_origin for one in answers if one.allowed_origin),
            working=plain if readable_by_pages(plain) else None,
            last=plain,
        )

    def admin_access(self) -> AdminAccess:
        """Request the admin paths without a key; the admin key shows whether a hidden path exists."""
        answers = {path: self.get_anonymously(path) for path in self._api.admin_paths}
        anything = None
        if any(answer.status < 400 for answer in answers.values()):
            anything = self.get_anonymously(f"/{secrets.token_hex(12)}")
        hidden = [path for path, answer in answers.items() if answer.status == 404]
        as_admin = {path: self.get_as_admin(path) for path in hidden if self._api.admin_key.present}
        return admin_access(answers, anything, as_admin)

    def health(self) -> Health:
        """`GET /health`.

        Raises:
            WrongAnswer: the status is not 200, or the body has another shape.
            NoAnswer: no answer came.
        """
        return self._read("/health", Health)

    def readiness(self) -> Readiness:
        """`GET /ready`; raises like `health`."""
        return self._read("/ready", Readiness)

    def exploits(self, **params: object) -> ExploitPage:
        """`GET /exploits` with `page`, `page_size`, `chain`, `min_amount`, `protocol`; see `health`."""
        return self._read("/exploits", ExploitPage, **params)

    def exploit(self, tx_hash: str) -> Exploit:
        """`GET /exploits/{tx_hash}`; raises like `health`."""
        # Dots are escaped as well: a hash of ".." must not lead up the path.
        segment = quote(tx_hash, safe="", errors="replace").replace(".", "%2E")
        return self._read(f"/exploits/{segment}", Exploit)

    def page_with_rows(self, **filters: object) -> ExploitPage:
        """The first page of up to 100 exploits that has any, of the first five; else the fifth.

        Delayed data may leave the first pages empty for callers without a key. Raises like `health`.
        """
        for number in range(1, _PAGES_TRIED + 1):
            page = self.exploits(page=number, page_size=100, **filters)
            if page.data or not page.has_more:
                break
        return page

    def tier(self) -> str:
        """The rate-limit tier of the API key, by `X-RateLimit-Tier`; a 429 reports it as well.

        Raises:
            Refused: the API refuses the key.
            Unverified: its answers name no tier.
            NoAnswer: no answer came.
        """
        try:
            answer = self.get("/exploits", page=1, page_size=1).usable()
        except NoAnswer:
            tier = self._http.tier_of(self._api.key.reveal().strip() if self._api.key.present else "")
            if tier:
                return tier
            raise
        tier = answer.headers.get("x-ratelimit-tier", "").strip()
        if not tier:
            raise Unverified(
                "the API's answers carry no X-RateLimit-Tier, so nothing tells how the key is served"
            )
        return readable(tier, longest=40)

    def require_tier(self, tier: str) -> None:
        """Compare the tier of the key with the one that the environment expects.

        Raises:
            Refused: they differ.
        """
        expected = self._api.tier
        if tier.casefold() != expected:
            message = f'{self._api.key.name} is served as tier "{tier}" where "{expected}" was expected'
            raise Refused(message, self._api.key.name, RefusalKind.WRONG_TIER)

    def chains(self) -> Chains:
        """`GET /chains`; raises like `health`."""
        return self._read("/chains", Chains)

    def _read(self, path: str, shape: type[Shape], **params: object) -> Shape:
        return self._get(path, {}, params).wanted().parse(shape)

    def _carried(self) -> Carried | None:
        return by_tier(self._api.key.name, self._api.tier) if self._api.key.present else None

    def _refused(self, answer: Answer, kind: RefusalKind, path: str, params: Mapping[str, object]) -> Refused:
        """The refusal, with the answer to the same request without a key: users do not use our key."""
        name = self._api.key.name
        try:
            anonymous = self._http.get_once(path, params=params)
        except NoAnswer as silence:
            if silence.kind is NoAnswerKind.RATE_LIMITED:
                return Refused(answer.mismatch(f"200 with {name}"), name, kind)
            independent, alike = "the same request without a key gets no answer", True
        else:
            independent = f"the same request without a key answers {anonymous.status}"
            # 403 and 429 can be about this machine's address, which only we use.
            alike = not anonymous.ok and anonymous.status not in {403, 429}
        message = f"{answer.mismatch(f'200 with {name}')}; {independent}"
        return Refused(message, name, kind, independent=independent, fails_alike=alike)

    def caller(self) -> dict[str, str]:
        """The API key, if there is one, in both of its headers: routes differ in which they read."""
        if not self._api.key.present:
            return {}
        key = self._api.key.reveal()
        return {_KEY_HEADER: key, "Authorization": f"Bearer {key}"}


def _from(origin: str | None) -> dict[str, str]:
    return {"Origin": origin} if origin else {}
