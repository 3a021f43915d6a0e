"""Read from the ledger what earlier runs of the same commit sampled at the same addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo.earlier import earlier_runs, measurements_needed, of_these_addresses, oldest
from kamiyo_verify.model.history.earlier import EarlierRuns
from kamiyo_verify.model.history.history import PastRun

if TYPE_CHECKING:
    from kamiyo_verify.ledger.store import Store


def read_earlier(
    store: Store, evidence: Evidence, past: Iterable[PastRun], *, environment: str, place: str
) -> EarlierRuns:
    """Return the samples of earlier runs that count for this run.

    Args:
        store: the ledger.
        evidence: the evidence of this run.
        past: the recorded runs of the environment, with people's decisions about them.
        environment: the name of the environment.
        place: the runs looked from this place.
    """
    names = measurements_needed(evidence.runbook)
    sampled = store.sampled(environment, names, place=place, since=oldest(evidence))
    found = earlier_runs(evidence, sampled, past)
    return of_these_addresses(evidence, found, store.runs({one.run for one in found.samples}))
