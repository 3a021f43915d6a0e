"""Push metrics to a Pushgateway; checks cannot reach this module.

Source: https://github.com/prometheus/pushgateway#api.
"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urlsplit

from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.service import segment
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.tables import Credential

_ACCEPTED = frozenset({200, 202})
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Pushgateway:
    """A Pushgateway.

    Args:
        address: its base URL; may have a path.
        context: shared with other clients.
        user: for basic authentication; "" sends none.
        password: the password of that user.
    """

    def __init__(
        self, address: str, context: ClientContext, *, user: str = "", password: Credential | None = None
    ) -> None:
        parts = urlsplit(address)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._prefix = parts.path.rstrip("/")
        headers = {"Content-Type": _CONTENT_TYPE}
        if user and password is not None:
            pair = f"{user}:{password.reveal()}".encode()
            headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
        self._http = HttpClient(self._origin, context, headers=headers)

    def replace(self, text: str, job: str, **labels: str) -> None:
        """Replace all metrics of a group.

        Args:
            text: the metrics, in Prometheus' text format.
            job: the group's job.
            **labels: its further labels; an empty value is no label.

        Raises:
            NoAnswer: no answer came, or one that refuses the metrics.
        """
        steps = [f"/{name}/{segment(value)}" for name, value in labels.items() if value]
        path = f"{self._prefix}/metrics/job/{segment(job)}{''.join(steps)}"
        answer = self._http.request("PUT", path, content=text.encode())
        if answer.status not in _ACCEPTED:
            message = f"PUT {self._origin}{path} answered {answer.status}: {answer.excerpt}"
            raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._origin)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
