"""Internal details of the platform that server errors of a run disclose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.words import Attribution, Status

_SHOWN = 3


def with_leaks(results: Mapping[str, Result], runbook: Runbook) -> dict[str, Result]:
    """Return the results, with items that have `reads_errors` judged by the server errors of every item.

    Two requests that disclose internal details are a failure; one alone is reported and is not a failure.

    Args:
        results: results by item id.
        runbook: defines which items have `reads_errors`.
    """
    leaking = tuple(exchange for result in results.values() for exchange in result.exchanges if exchange.leak)
    if not leaking:
        return dict(results)
    readers = {item.id for item in runbook.items if item.reads_errors}
    return {
        key: _describe(result, leaking) if key in readers and result.status is not Status.FAILED else result
        for key, result in results.items()
    }


def _describe(result: Result, leaking: tuple[Exchange, ...]) -> Result:
    shown = dict.fromkeys(
        f"{one.method} {one.url} answered {one.status} and shows {one.leak}" for one in leaking
    )
    more = f" (and {len(shown) - _SHOWN} more)" if len(shown) > _SHOWN else ""
    message = f"server errors show the inside: {'; '.join([*shown][:_SHOWN])}{more}"
    if len(leaking) > 1:
        return replace(result, status=Status.FAILED, message=message, attribution=None)
    return replace(
        result, status=Status.ERROR, message=f"{message}: seen once only", attribution=Attribution.UNKNOWN
    )
