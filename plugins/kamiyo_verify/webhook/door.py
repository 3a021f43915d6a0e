"""Verification of deliveries: signed with Render's secret, recent, and of a valid form.

Source: standardwebhooks.com; its library checks the signature, and allows five minutes around our clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

TOLERANCE_S = 300.0
"""The library's limit, in seconds: an older delivery, or one further ahead, is refused."""

_LONGEST_ID = 256


class NotAdmitted(Exception):
    """A delivery that failed verification; the message may be sent to the sender."""


class NotUnderstood(Exception):
    """A delivery that is signed, but is not a valid Render event."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(pattern=r"^evt-[\w-]{1,64}$")
    service_id: str = Field(alias="serviceId", pattern=r"^[a-z]{2,4}-[\w-]{1,64}$")


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = Field(max_length=100)
    data: dict[str, object] = {}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One verified delivery.

    Attributes:
        id: the id of the delivery; a repeated delivery has the same id.
        type: such as "deploy_ended".
        event: the id of the event; "" for other types than the wanted one.
        service: the id of its service; "" for other types than the wanted one.
    """

    id: str
    type: str
    event: str = ""
    service: str = ""


class Door:
    """Verifies deliveries.

    Args:
        secrets: each "whsec_…"; more than one during a rotation.
        wanted: the event type whose content is read.

    Raises:
        ValueError: a secret is not valid; the message does not contain it.
    """

    def __init__(self, secrets: Sequence[str], wanted: str) -> None:
        try:
            self._hooks = [Webhook(secret) for secret in secrets]
        except (ValueError, EmptyWebhookSecretError):
            raise ValueError("it is no signing secret: whsec_ and base64 are") from None
        if not self._hooks:
            raise ValueError("it is empty")
        self._wanted = wanted

    def read(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Verify and parse a delivery.

        Raises:
            NotAdmitted: the signature, the time or a header is not valid.
            NotUnderstood: the delivery is signed, but is not a valid event.
        """
        problem = ""
        for hook in self._hooks:
            try:
                hook.verify(body, dict(headers), json_parse=False)
                break
            except WebhookVerificationError as error:
                problem = str(error)
            except ValueError:  # a header or a body with a malformed value
                problem = "Malformed signature or body"
        else:
            raise NotAdmitted(problem)
        number = headers["webhook-id"]
        if len(number) > _LONGEST_ID:
            raise NotAdmitted("webhook-id is too long")
        return self._understood(number, body)

    def _understood(self, number: str, body: bytes) -> Delivery:
        try:
            event = _Event.model_validate(json.loads(body))
            if event.type != self._wanted:
                return Delivery(number, event.type)
            data = _Data.model_validate(event.data)
        except (ValueError, ValidationError, RecursionError):
            raise NotUnderstood("no event of the form {type, timestamp, data: {id, serviceId}}") from None
        return Delivery(number, event.type, data.id, data.service_id)
