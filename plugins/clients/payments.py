"""The Stripe webhook endpoint, asked as Stripe would."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time

from plugins.clients.answer import Answer
from plugins.clients.http import HttpClient
from plugins.model.environment import Payments
from plugins.model.words import Signing

_TYPE = "kamiyo_verify.ping"
_API_VERSION = "2024-06-20"
_STALE_S = 3_600  # Stripe's libraries tolerate 300 s


class PaymentsClient:
    """Delivers harmless events of a type that no handler knows.

    Args:
        payments: the environment's table.
        http: asks the origin that the endpoint is mounted on.
        livemode: as the real events of this environment say.
    """

    def __init__(self, payments: Payments, http: HttpClient, *, livemode: bool) -> None:
        self._payments = payments
        self._http = http
        self._livemode = livemode

    def deliver(self, signing: Signing) -> Answer:
        """Deliver one event, each with an id of its own.

        The signature is Stripe's: HMAC-SHA256 with the whole secret over "<unix time>.<body>"
        (https://docs.stripe.com/webhooks#verify-manually).

        Args:
            signing: GOOD with the secret; STALE with the secret, an hour ago; BAD with a secret of our own;
                MISSING without the header.

        Raises:
            NoAnswer: none came.
            LookupError: GOOD or STALE without the secret; `needs("payments.webhook_secret")` stops a check
                before.
        """
        now = int(time.time())
        body = json.dumps(self._event(now)).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        match signing:
            case Signing.GOOD:
                headers["Stripe-Signature"] = _signature(self._payments.webhook_secret.reveal(), now, body)
            case Signing.STALE:
                headers["Stripe-Signature"] = _signature(
                    self._payments.webhook_secret.reveal(), now - _STALE_S, body
                )
            case Signing.BAD:
                headers["Stripe-Signature"] = _signature("whsec_" + secrets.token_hex(16), now, body)
            case Signing.MISSING:
                pass
        return self._http.post(self._payments.webhook_path, content=body, headers=headers)

    def _event(self, now: int) -> dict[str, object]:
        return {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": _API_VERSION,
            "created": now,
            "data": {"object": {"id": f"ping_{secrets.token_hex(12)}", "object": _TYPE}},
            "livemode": self._livemode,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": _TYPE,
        }


def _signature(secret: str, at: int, body: bytes) -> str:
    digest = hmac.new(secret.strip().encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
