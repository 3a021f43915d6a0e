"""The Stripe webhook endpoint; the stripe library verifies signatures."""

from __future__ import annotations

import stripe
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.platform import Platform

TOLERANCE_S = 300
"""The maximum age of a signature in seconds: Stripe's default."""

_ANOTHER_SECRET = "whsec_of_another_endpoint"  # noqa: S105


class Payments:
    """`POST /api/payment/webhook`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def webhook(self, request: Request) -> Response:
        """Respond with 200 to any event signed by Stripe, whatever its type; else 400; 405 unless POST."""
        if request.method != "POST":
            return JSONResponse({"error": "Method not allowed"}, 405, {"Allow": "POST"})
        body = await request.body()
        if "webhook-unsigned-accepted" not in self._platform.faults:
            try:
                self._verify(body, request.headers.get("stripe-signature"))
            except stripe.SignatureVerificationError as refusal:
                return JSONResponse({"error": f"Webhook Error: {refusal.user_message}"}, 400)
            # A signed body that is not a JSON object: the library reads it as if it were one.
            except (ValueError, AttributeError):
                return JSONResponse({"error": "Webhook Error: Invalid payload"}, 400)
        return JSONResponse({"received": True})

    def _verify(self, body: bytes, signature: str | None) -> None:
        wrong = "webhook-wrong-secret" in self._platform.faults
        secret = _ANOTHER_SECRET if wrong else self._platform.secrets.webhook_secret
        stripe.Webhook.construct_event(body, signature, secret, tolerance=TOLERANCE_S)
