"""The public API."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from plugins.clients.answer import Answer
from plugins.clients.commit import commit_told
from plugins.clients.http import HttpClient
from plugins.clients.readable import readable
from plugins.model.environment import Api
from plugins.model.outcomes import Unverified, WrongAnswer
from plugins.model.platform import Chains, Exploit, ExploitPage, Health, Readiness

Shape = TypeVar("Shape", bound=BaseModel)

_KEY_HEADER = "X-API-Key"
_PAGES_TRIED = 5


class ApiClient:
    """Asks the API as its callers do: with the key of the environment where it has one, or without.

    Args:
        api: the environment's table.
        http: asks `api.url`.
    """

    def __init__(self, api: Api, http: HttpClient) -> None:
        self._api = api
        self._http = http

    def get(self, path: str, *, origin: str | None = None, **params: object) -> Answer:
        """GET with the API key, if there is one; `origin` is sent as the header of a browser's page."""
        return self._http.get(path, params=params, headers=self.caller() | _from(origin))

    def get_anonymously(self, path: str, *, origin: str | None = None, **params: object) -> Answer:
        """GET without a key."""
        return self._http.get(path, params=params, headers=_from(origin))

    def get_as_admin(self, path: str, **params: object) -> Answer:
        """GET with the admin key.

        Raises:
            LookupError: it is not set; `needs("api.admin_key")` stops a check before.
        """
        return self._http.get(path, params=params, headers={_KEY_HEADER: self._api.admin_key.reveal()})

    def get_once(self, path: str) -> Answer:
        """GET with the API key, if there is one, as one exchange: for sampling."""
        return self._http.get_once(path, headers=self.caller())

    def preflight(self, path: str, *, origin: str, method: str = "GET") -> Answer:
        """What a browser asks before a page of `origin` may send such a request."""
        return self._http.request(
            "OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": method}
        )

    def health(self) -> Health:
        """`GET /health`.

        Raises:
            WrongAnswer: the status is not 200, or the body has another shape.
            NoAnswer: none came.
        """
        return self._read("/health", Health)

    def readiness(self) -> Readiness:
        """`GET /ready`; raises as `health`."""
        return self._read("/ready", Readiness)

    def exploits(self, **params: object) -> ExploitPage:
        """`GET /exploits` with `page`, `page_size`, `chain`, `min_amount`, `protocol`; raises as `health`."""
        return self._read("/exploits", ExploitPage, **params)

    def exploit(self, tx_hash: str) -> Exploit:
        """`GET /exploits/{tx_hash}`; raises as `health`."""
        # Dots are escaped as well: the platform's own hash must not become a way up the path.
        segment = quote(tx_hash, safe="", errors="replace").replace(".", "%2E")
        return self._read(f"/exploits/{segment}", Exploit)

    def page_with_rows(self, **filters: object) -> ExploitPage:
        """The first page of up to 100 exploits that has any, of the first five; else the fifth.

        Delayed data may leave the first pages empty for callers without a key. Raises as `health`.
        """
        for number in range(1, _PAGES_TRIED + 1):
            page = self.exploits(page=number, page_size=100, **filters)
            if page.data or not page.has_more:
                break
        return page

    def tier(self) -> str:
        """The tier that the API key is served as, by `X-RateLimit-Tier`.

        Raises:
            WrongAnswer: the API refuses the key.
            Unverified: its answers name no tier.
            NoAnswer: none came.
        """
        answer = self.get("/exploits", page=1, page_size=1).usable()
        if answer.status in {401, 403}:
            raise WrongAnswer(answer.told(f"200 with {self._api.key.name}"))
        tier = answer.headers.get("x-ratelimit-tier", "").strip()
        if not tier:
            raise Unverified(
                "the API's answers carry no X-RateLimit-Tier, so nothing tells how the key is served"
            )
        return readable(tier, longest=40)

    def chains(self) -> Chains:
        """`GET /chains`; raises as `health`."""
        return self._read("/chains", Chains)

    def commit(self) -> str:
        """The commit that answers, in lower case.

        Raises:
            Unverified: the environment does not say where the API tells it.
            WrongAnswer: the API does not tell it there.
            NoAnswer: none came.
        """
        return commit_told("api", self._api.commit, self.get, "/health")

    def _read(self, path: str, shape: type[Shape], **params: object) -> Shape:
        return self._http.get(path, params=params, headers=self.caller()).wanted().parse(shape)

    def caller(self) -> dict[str, str]:
        """The API key, if there is one, in both of its headers: routes differ in which they read."""
        if not self._api.key.present:
            return {}
        key = self._api.key.reveal()
        return {_KEY_HEADER: key, "Authorization": f"Bearer {key}"}


def _from(origin: str | None) -> dict[str, str]:
    return {"Origin": origin} if origin else {}
