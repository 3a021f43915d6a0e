"""Live updates over the API's WebSocket: the key in the query, tiers, and the heartbeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.credentials import Carried
from kamiyo_verify.http.requests import Parts
from kamiyo_verify.integrations.websocket.client import WebSocketClient
from kamiyo_verify.integrations.websocket.conventions import Conventions
from kamiyo_verify.integrations.websocket.stream import FrameWait, Stream
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Tier

__all__ = ["FrameWait", "RealtimeClient", "Stream"]

_MEANINGS = {
    4000: "internal error of the platform",
    4001: "the key is unknown",
    4003: "no key, or one of too low a tier",
}
_REFUSALS = {4001: RefusalKind.UNAUTHORIZED, 4003: RefusalKind.WRONG_TIER}
_REPLIES = {"heartbeat": {"type": "heartbeat_ack"}}
_WITH_LIVE_UPDATES = frozenset(tier.value for tier in Tier if tier.has_live_updates)


class RealtimeClient:
    """Opens streams of live updates; they acknowledge heartbeats, as the site's own client does.

    Args:
        url: ws(s) address, without a token.
        key: the API key that is sent as the token.
        context: shared with other clients; `answer` bounds the time until the stream is open.
        served_as: the rate-limit tier of the key at the API, or "": it explains a refusal.
    """

    def __init__(
        self,
        url: str,
        key: Credential,
        context: ClientContext,
        *,
        served_as: Callable[[], str] = lambda: "",
    ) -> None:
        self._url = url
        self._key = key
        self._context = context
        self._conventions = Conventions(_MEANINGS, _REFUSALS, _REPLIES, lambda: _refused(served_as()))

    @contextmanager
    def connect(self, *, token: bool = True) -> Iterator[Stream]:
        """An open stream, closed at the end; for errors see `WebSocketClient.connect`.

        Args:
            token: send the API key.

        Raises:
            LookupError: the key is not set; `needs("api.key")` stops a check before.
        """
        parts = _with_token(self._key) if token else Parts()
        with WebSocketClient(self._url, self._context, parts, self._conventions).connect() as stream:
            yield stream


def _with_token(key: Credential) -> Parts:
    secret = key.reveal().strip()
    shown = frozenset({secret, quote(secret, safe="")}) if secret else frozenset()
    return Parts(params={"token": secret}, carried=Carried(key.name, lambda _: None, shown))


def _refused(tier: str) -> str:
    """What 401 and 403 mean, weighed by how the API serves the key elsewhere."""
    reasons = (
        "the key is unknown (4001), its tier is too low (4003), or the platform met an error of its own"
        " (4000)"
    )
    if not tier:
        return reasons
    may = tier.casefold() in _WITH_LIVE_UPDATES
    likelier = "an error of its own is the likelier" if may else "that tier has no live updates"
    return f"{reasons}; elsewhere the API serves this key as {tier}, so {likelier}"
