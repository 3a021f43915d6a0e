"""Read what a service says of its own health in an answer of any status."""

from __future__ import annotations

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.outcomes import WrongAnswer

_KEYS = frozenset({"status", "state", "health", "healthy", "ok", "alive", "ready"})
_UNWELL = frozenset(
    {
        *("down", "fail", "failed", "failing", "failure", "error", "unhealthy", "critical", "dead", "ko"),
        *("out_of_service", "unavailable", "not_ok", "not_ready", "not_healthy", "false"),
    }
)
"""Of Spring Boot, ASP.NET Core, Quarkus and the IETF's draft of health checks; "degraded" still serves."""


def unwell_in(answer: Answer) -> str:
    """What a JSON object says against the service, such as '"status": "DOWN"'; "" if it says nothing."""
    if answer.is_html or not answer.body.lstrip().startswith(b"{"):
        return ""
    try:
        data = answer.json()
    except WrongAnswer:
        return ""
    for key, value in data.items() if isinstance(data, dict) else ():
        word = str(value).strip().lower().replace(" ", "_").replace("-", "_")
        if key.lower() in _KEYS and isinstance(value, str | bool) and word in _UNWELL:
            return f'"{key}": {readable(str(value), longest=40)}'
    return ""
