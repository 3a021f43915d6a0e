"""Client for the website."""

from __future__ import annotations

from collections.abc import Mapping

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient


class FrontendClient:
    """Requests pages as a browser does, without running their scripts.

    Args:
        http: client for the address of `[services.frontend]`.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def get(self, path: str, *, cookies: Mapping[str, str] | None = None, **params: object) -> Answer:
        """GET any path."""
        return self._http.get(path, params=params, cookies=cookies)

    def get_once(self, path: str) -> Answer:
        """GET as one exchange: for sampling."""
        return self._http.get_once(path)

    def page(self, path: str) -> Answer:
        """GET a page.

        Raises:
            WrongAnswer: it is not 200 and text/html.
            NoAnswer: no answer came.
        """
        return self.get(path).page()
