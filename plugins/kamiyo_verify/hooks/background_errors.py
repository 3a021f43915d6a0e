"""Carry the exception of a background task from its thread to the check that waits for it, through a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.outcomes import (
    ImproperAnswer,
    NoAnswer,
    NoAnswerKind,
    NotApplicable,
    Refused,
    ServerBroke,
    StreamClosed,
    Unverified,
    WrongAnswer,
    WrongFormat,
    WrongStatus,
)

_RAISED_AGAIN: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        WrongAnswer,
        ImproperAnswer,
        StreamClosed,
        WrongFormat,
        WrongStatus,
        ServerBroke,
        AssertionError,
        Unverified,
        NotApplicable,
    )
}


def error_data(error: BaseException) -> dict[str, Any]:
    """Return the error as JSON-safe data, with all that decides what it means."""
    data: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    if isinstance(error, NoAnswer):
        data |= {"kind": error.kind, "origin": error.origin}
    if isinstance(error, NoAnswer | Refused) and error.refusal:
        data["refusal"] = asdict(error.refusal)
    return data


def error_from(data: Mapping[str, Any]) -> Exception:
    """Return the error that `error_data` described; a RuntimeError for a type that no task should raise."""
    refused = Refusal(**data["refusal"]) if data.get("refusal") else None
    if data["type"] == "NoAnswer":
        return NoAnswer(NoAnswerKind(data["kind"]), data["message"], data["origin"], refused)
    if refused:
        return Refused(
            data["message"],
            refused.variable,
            RefusalKind(refused.kind),
            independent=refused.independent,
            fails_alike=refused.fails_alike,
            beside=refused.beside,
        )
    kind = _RAISED_AGAIN.get(data["type"])
    return kind(data["message"]) if kind else RuntimeError(f"{data['type']}: {data['message']}")
