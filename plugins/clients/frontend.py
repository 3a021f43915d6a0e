"""The website."""

from __future__ import annotations

from collections.abc import Mapping

from plugins.clients.answer import Answer
from plugins.clients.commit import commit_told
from plugins.clients.http import HttpClient
from plugins.model.environment import Frontend


class FrontendClient:
    """Asks for pages as a browser does, without running them.

    Args:
        frontend: the environment's table.
        http: asks `frontend.url`.
    """

    def __init__(self, frontend: Frontend, http: HttpClient) -> None:
        self._frontend = frontend
        self._http = http

    def get(self, path: str, *, cookies: Mapping[str, str] | None = None, **params: object) -> Answer:
        """GET whatever is there."""
        return self._http.get(path, params=params, cookies=cookies)

    def get_once(self, path: str) -> Answer:
        """GET as one exchange: for sampling."""
        return self._http.get_once(path)

    def page(self, path: str) -> Answer:
        """GET a page.

        Raises:
            WrongAnswer: it is not 200 and text/html.
            NoAnswer: none came.
        """
        return self.get(path).page()

    def commit(self) -> str:
        """The commit that answers, in lower case.

        Raises:
            Unverified: the environment does not say where the frontend tells it.
            WrongAnswer: the frontend does not tell it there.
            NoAnswer: none came.
        """
        return commit_told("frontend", self._frontend.commit, self.get, "/")
