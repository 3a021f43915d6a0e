"""Send requests by the official Python client: bounded in time and size, recorded, errors as `NoAnswer`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.problems import no_answer
from kamiyo_verify.integrations.kubernetes.access import open_client, secrets_of
from kamiyo_verify.integrations.kubernetes.settings import Access, Kubernetes
from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.times import utc_now
from kamiyo_verify.model.writing.text import cut, visible

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, ApiException, AppsV1Api, CoreV1Api

_MOST_BYTES = 32 * 1024 * 1024
_ROWS_A_PAGE = 500
_MOST_PAGES = 20
_REFUSED = {401: RefusalKind.UNAUTHORIZED, 403: RefusalKind.FORBIDDEN}
_OVERLOADED = {429, 500, 502, 503, 504}


class Transport:
    """The connection to one API server, opened by the first request.

    Args:
        table: the environment's [kubernetes].
        context: shared with other clients.
    """

    def __init__(self, table: Kubernetes, context: ClientContext) -> None:
        self._table = table
        self._context = context
        self._client: ApiClient | None = None
        self.last: Exchange | None = None

    @property
    def _api(self) -> ApiClient:
        if self._client is None:
            self._client = open_client(self._table)
        return self._client

    @property
    def apps(self) -> AppsV1Api:
        """The API of Deployments and ReplicaSets."""
        from kubernetes import client  # noqa: PLC0415 - an optional extra, and slow

        return client.AppsV1Api(self._api)

    @property
    def core(self) -> CoreV1Api:
        """The API of pods and events."""
        from kubernetes import client  # noqa: PLC0415

        return client.CoreV1Api(self._api)

    def rows(self, path: str, ask: Callable[..., Any]) -> tuple[dict[str, Any], ...]:
        """Return all rows of a list. Raises `NoAnswer`, as all methods do."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = self.json(path, partial(ask, limit=_ROWS_A_PAGE, **token))
            found += page.get("items") or []
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return tuple(found)
            token = {"_continue": following}
        return self._unusable(f"{path} has more than {_ROWS_A_PAGE * _MOST_PAGES:,} rows")

    def json(self, path: str, ask: Callable[..., Any]) -> dict[str, Any]:
        """Return the JSON object that the server sent."""
        sent = self.get(path, ask)
        try:
            found = json.loads(sent)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self._unusable(f"GET {path} gave no JSON object")
        return found

    def read(self, found: dict[str, Any], model: str) -> Any:
        """Return a JSON object as a model of the official client, such as "V1Deployment"."""
        try:
            return self._api.deserialize(json.dumps(found), model, "application/json")
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            self._unusable(
                f"the API server sent no {model} that its own client can read ({type(error).__name__})"
            )

    def get(self, path: str, ask: Callable[..., Any]) -> bytes:
        """Send a GET; once more if the connection broke or the server was overloaded."""
        try:
            return self.send("GET", path, ask)
        except NoAnswer as problem:
            status = self.last.status if self.last else None
            passing = problem.kind is NoAnswerKind.CUT or status in _OVERLOADED
            if not passing or self._context.remaining() < self._context.timeouts.connect:
                raise
        return self.send("GET", path, ask)

    def send(self, method: str, path: str, ask: Callable[..., Any]) -> bytes:
        """Send one request and return the body of its answer; `last` tells how it went."""
        self.last = None
        _ = self._api  # raises before anything counts as sent
        from kubernetes.client import ApiException  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        within = max(0.1, min(self._context.timeouts.answer, self._context.remaining()))
        began, at = time.monotonic(), utc_now()
        try:
            answer = ask(
                _preload_content=False,
                _request_timeout=(min(self._context.timeouts.connect, within), within),
            )
            body = self._body(answer, began + within)
        except ApiException as error:
            problem = self._refusal(method, path, error)
            self._note(method, path, error.status or None, began, at, str(problem))
            raise problem from None
        except (HTTPError, OSError) as error:
            silence = no_answer(error, self._origin, time.monotonic() - began)
            self._note(method, path, None, began, at, str(silence))
            raise silence from None
        self._note(method, path, answer.status, began, at, "")
        return body

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    def _body(self, answer: Any, deadline: float) -> bytes:
        found = bytearray()
        while part := answer.read1(65_536, decode_content=True):
            found += part
            if len(found) > _MOST_BYTES:
                self._unusable(f"the answer is larger than {_MOST_BYTES // 1024 // 1024} MiB")
            if time.monotonic() > deadline:
                raise TimeoutError
        return bytes(found)

    def _refusal(self, method: str, path: str, error: ApiException) -> NoAnswer:
        """Describe a status that is no success by the `message` of the server's Status object."""
        if not error.status:
            return no_answer(error.__context__ or error, self._origin, 0.0)
        try:
            told = json.loads(error.body or "")["message"]
        except (ValueError, LookupError, TypeError):
            told = error.reason or "nothing"
        message = (
            f"{method} {self._api.configuration.host}{path} answered {error.status}: {self._shown(str(told))}"
        )
        kind = _REFUSED.get(error.status)
        if kind is None:
            return NoAnswer(NoAnswerKind.UNUSABLE, message, self._origin)
        return NoAnswer(NoAnswerKind.CREDENTIAL, message, self._origin, Refusal(self._credential, kind))

    def _shown(self, text: str) -> str:
        for secret in secrets_of(self._api.configuration):
            text = text.replace(secret, "[the token]")
        return cut(" ".join(visible(text).split()), 300)

    def _note(self, method: str, path: str, status: int | None, began: float, at: str, problem: str) -> None:
        took_ms = (time.monotonic() - began) * 1000
        self.last = Exchange(
            method,
            self._api.configuration.host + path,
            status,
            took_ms,
            problem=problem,
            at=at,
            credential=self._credential,
            accepted=True if status and status < 400 else None,
        )
        self._context.record(self.last)

    @property
    def _credential(self) -> str:
        return self._table.token.name if self._table.access is Access.TOKEN else ""

    @property
    def _origin(self) -> str:
        """Scheme, host and port of the API server."""
        parts = urlsplit(self._api.configuration.host)
        return f"{parts.scheme}://{parts.netloc}"

    def _unusable(self, message: str) -> NoReturn:
        raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._origin)
