"""Who may start a verification: whoever signs as Render does, now, and with an id that was not used before.

Source: standardwebhooks.com, whose library checks the signature and the five minutes around our own clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

TOLERANCE_S = 300.0
"""Of the library: a delivery this old, or this far ahead, is refused."""

_LONGEST_ID = 256


class NotAdmitted(Exception):
    """A delivery that is not believed; the message may be told to whoever sent it."""


class NotUnderstood(Exception):
    """A delivery that is signed, and is no event of Render's."""


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
    """One delivery that is believed.

    Attributes:
        id: of the delivery; the same when it is sent again.
        type: such as "deploy_ended".
        event: the id of the event; "" where it is of a type that is not asked for.
        service: the id of its service; likewise.
    """

    id: str
    type: str
    event: str = ""
    service: str = ""


class Door:
    """Checks deliveries.

    Args:
        secrets: each "whsec_…"; several while one takes the place of another.
        wanted: the type of events whose content is read.

    Raises:
        ValueError: a secret is none; its value is not told.
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
        """The delivery.

        Raises:
            NotAdmitted: it is not signed by Render, not now, or its headers are incomplete.
            NotUnderstood: it is, and yet no event.
        """
        problem = ""
        for hook in self._hooks:
            try:
                hook.verify(body, dict(headers), json_parse=False)
                break
            except WebhookVerificationError as error:
                problem = str(error)
            except ValueError:  # a header or a body that is not even of the form
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
