"""Send a declared credential to the services that it names, and requests whose effect is stated."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TypedDict, Unpack, cast
from urllib.parse import quote, quote_plus

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.credentials import Carried, by_status, refused_by_status
from kamiyo_verify.http.requests import Parts, with_cookies
from kamiyo_verify.model.outcomes import Refused, Unverified
from kamiyo_verify.model.services import DeclaredCredential, SentAs
from kamiyo_verify.model.words import Mutations

if TYPE_CHECKING:
    from kamiyo_verify.integrations.websocket.client import WebSocketClient


class Effect(StrEnum):
    """What a request changes: nothing, the same however often it is sent, or once more each time."""

    NONE = "none"
    IDEMPOTENT = "idempotent"
    ONCE = "once"


class Sent(TypedDict, total=False):
    """The parts of a request that a check gives."""

    params: Mapping[str, object] | None
    headers: Mapping[str, str] | None
    cookies: Mapping[str, str] | None
    content: bytes | None
    form: Mapping[str, str] | None
    json: object


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """Requests to one service, with at most one declared credential.

    A redirect to another origin is not followed, so the credential reaches no other origin.

    Attributes:
        http: the client of the service's origin.
        credential: the credential that each request carries; None sends none.
        mutations: whether the environment allows requests that change something.
        sent_once: called before a request that must not be sent again, with its method and path. It raises
            `Unverified` if this item already sent it.
    """

    http: HttpClient
    credential: DeclaredCredential | None
    mutations: Mutations
    sent_once: Callable[[str], None]

    @classmethod
    def reading(cls, http: HttpClient, credential: DeclaredCredential | None) -> Self:
        """Return a client that changes nothing."""
        return cls(http, credential, Mutations.FORBIDDEN, lambda _: None)

    def get_once(self, path: str) -> Answer:
        """Send GET as one exchange, without waiting for rate limits: for sampling."""
        parts = with_credential({}, self.credential)
        headers = with_cookies(parts.get("headers"), parts.get("cookies"))
        return self.http.get_once(
            path, params=parts.get("params"), headers=headers, carried=parts.get("carried")
        )

    def get(self, path: str, **sent: Unpack[Sent]) -> Answer:
        """Send GET; it changes nothing (RFC 9110, 9.2.1)."""
        return self._send("GET", path, Effect.NONE, sent)

    def first(self, path: str) -> Answer:
        """Send GET and return its own answer: no redirect is followed."""
        return self.http.first("GET", path, **with_credential({}, self.credential))

    def put(self, path: str, **sent: Unpack[Sent]) -> Answer:
        """Send PUT; it is idempotent (RFC 9110, 9.2.2)."""
        return self._send("PUT", path, Effect.IDEMPOTENT, sent)

    def delete(self, path: str, **sent: Unpack[Sent]) -> Answer:
        """Send DELETE; it is idempotent (RFC 9110, 9.2.2)."""
        return self._send("DELETE", path, Effect.IDEMPOTENT, sent)

    def post(self, path: str, *, effect: Effect | str, **sent: Unpack[Sent]) -> Answer:
        """Send POST; `effect` is "none" (a query), "idempotent" or "once"."""
        return self._send("POST", path, Effect(effect), sent)

    def patch(self, path: str, *, effect: Effect | str, **sent: Unpack[Sent]) -> Answer:
        """Send PATCH; `effect` is "none", "idempotent" or "once"."""
        return self._send("PATCH", path, Effect(effect), sent)

    def websocket(self, path: str) -> WebSocketClient:
        """Return a client of the WebSocket at a path; the opening request carries the credential.

        Raises:
            Unverified: the credential's variable is not set.
        """
        from kamiyo_verify.integrations.websocket.client import WebSocketClient  # noqa: PLC0415

        parts = with_credential({}, self.credential)
        return WebSocketClient(f"ws{self.http.origin.removeprefix('http')}{path}", self.http.context, parts)

    def sign_in(self, path: str) -> Answer:
        """Sign in with the credential: its form or JSON body by POST, any other kind with GET.

        Raises:
            Unverified: no credential is declared for the service, or its variable is not set; or nothing
                shows whether the sign-in succeeded.
            Refused: the credential is not accepted; the message names the variable.
            ServerBroke: the page after the sign-in answers 5xx.
        """
        mine = self.credential
        if mine is None:
            raise Unverified("no [credentials.NAME] is declared for this service, so nobody can sign in")
        # Most checks sign nobody in, and a plan signs in nowhere.
        from kamiyo_verify.checks.sign_in import sign_in  # noqa: PLC0415
        from kamiyo_verify.checks.sign_in_pages import require_difference  # noqa: PLC0415

        if mine.signs_in:
            return sign_in(self.http, mine, path)
        answer = self.accepted(self.get(path))
        if answer.status < 400:
            require_difference(answer, self.http.get(path))
        return answer

    def accepted(self, answer: Answer) -> Answer:
        """Return the answer itself, unless it refuses the credential that the request carried.

        Raises:
            Refused: 401 or 403; the message names the variable.
        """
        kind = refused_by_status(answer) if self.credential else None
        if self.credential and kind:
            name = self.credential.variable.name
            raise Refused(f"{answer.mismatch('an answer to our credential')}; it carried {name}", name, kind)
        return answer

    def _send(self, method: str, path: str, effect: Effect, sent: Sent) -> Answer:
        if effect is not Effect.NONE and self.mutations is Mutations.FORBIDDEN:
            raise Unverified(
                f'{method} {path} would change something, and mutations = "forbidden" in this environment'
            )
        if effect is Effect.ONCE:
            self.sent_once(f"{method} {path}")
        return self.http.request(method, path, **(with_credential(sent, self.credential)))


def with_credential(sent: Sent, credential: DeclaredCredential | None) -> Parts:
    """Return the parts of a request that carries a credential.

    Raises:
        Unverified: the credential's variable is not set.
    """
    parts = cast("Parts", dict(sent))
    if credential is None or credential.signs_in:
        return parts
    if not credential.variable.present:
        raise Unverified(f"{credential.variable.name} is not set")
    secret = credential.variable.reveal().strip()
    match credential.send:
        case SentAs.HEADER:
            parts["headers"] = {**(sent.get("headers") or {}), credential.field: secret}
        case SentAs.BEARER:
            parts["headers"] = {**(sent.get("headers") or {}), "Authorization": f"Bearer {secret}"}
        case SentAs.BASIC:
            pair = base64.b64encode(f"{credential.user}:{secret}".encode()).decode()
            parts["headers"] = {**(sent.get("headers") or {}), "Authorization": f"Basic {pair}"}
        case SentAs.COOKIE:
            parts["cookies"] = {**(sent.get("cookies") or {}), credential.field: secret}
        case SentAs.QUERY:
            parts["params"] = {**(sent.get("params") or {}), credential.field: secret}
    carried = by_status(credential.variable.name)
    if carried:
        shown = frozenset({secret, quote(secret, safe=""), quote_plus(secret)})
        parts["carried"] = Carried(carried.variable, carried.accepted, shown)
    return parts
