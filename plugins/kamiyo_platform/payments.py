"""Client for the Stripe webhook endpoint; sends requests as Stripe does."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time

from kamiyo_verify.config.environment import Payments
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.credentials import by_signature, signature_refused
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import Refused
from kamiyo_verify.model.words import Signing

_TYPE = "kamiyo_verify.ping"
_API_VERSION = "2024-06-20"
_STALE_S = 3_600  # Stripe's libraries accept up to 300 s


class PaymentsClient:
    """Delivers harmless events of a type that no handler knows.

    Args:
        payments: the environment's table.
        http: client for the origin of the endpoint.
        livemode: the value in real events of this environment.
    """

    def __init__(self, payments: Payments, http: HttpClient, *, livemode: bool) -> None:
        self._payments = payments
        self._http = http
        self._livemode = livemode

    def deliver(self, signing: Signing) -> Answer:
        """Deliver one event, each with an id of its own.

        The signature is Stripe's: HMAC-SHA256 with the whole secret over "<unix time>.<body>"
        (https://docs.stripe.com/webhooks#verify-manually). While a secret is rolled, both are valid: if the
        credential holds several, separated by spaces or commas, the header has one `v1=` for each.

        Args:
            signing: GOOD with the secret; STALE with the secret, an hour ago; BAD with another secret;
                MISSING without the header.

        Raises:
            Refused: GOOD was answered 400, 401 or 403: the endpoint uses another secret, or ours is outdated.
            NoAnswer: no answer came.
            LookupError: GOOD or STALE without the secret; `needs("payments.webhook_secret")` stops a check
                before that.
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
        if signing is not Signing.GOOD:
            return self._http.post(self._payments.webhook_path, content=body, headers=headers)
        name = self._payments.webhook_secret.name
        answer = self._http.post(
            self._payments.webhook_path, content=body, headers=headers, carried=by_signature(name)
        )
        if signature_refused(answer):
            message = answer.mismatch(f"2xx for a delivery signed with {name}")
            raise Refused(message, name, RefusalKind.SIGNATURE)
        return answer

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


def _signature(secrets_in_force: str, at: int, body: bytes) -> str:
    signed = f"{at}.".encode() + body
    digests = (
        hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for secret in secrets_in_force.replace(",", " ").split()
    )
    return ",".join([f"t={at}", *(f"v1={digest}" for digest in digests)])
