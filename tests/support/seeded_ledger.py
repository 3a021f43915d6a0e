"""A ledger with two weeks of deployments: good ones, a bad one that was taken back, others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Item, Runbook, Slo
from kamiyo_verify.model.words import Impact, Phase, Status
from tests.support.evidence_for import ERRORS, LATENCY, LIVE, RUNBOOK, SIGN_IN, WEBHOOK, measured, result
from tests.support.recorded_runs import moment, recorded

DURATION = "deploy.duration"
DOWNTIME = "deploy.downtime"
TOLD = "deploy.team-told"
HOUR = "followup.error-rate-first-hour"
BOTH = (Phase.DEPLOY, Phase.POSTDEPLOY, Phase.PERFORMANCE)
DAY = 24 * 60.0

GOOD = "a" * 7
BAD = "bad0bad0" * 5
ASIDES: tuple[dict[str, Any], ...] = ({"faults": ["slow"]}, {"baseline": True}, {"cut": 2}, {"commit": ""})
"""A drill, a baseline, a run that was killed, and one of no known commit."""

NOT_MET = (600.0,) * 80
MET = tuple(100.0 + n for n in range(80))


def _item(item_id: str) -> Item:
    phase = Phase(item_id.partition(".")[0])
    title = item_id.replace("-", " ")
    return Item(id=item_id, title=title, section="Deploying", phase=phase, impact=Impact.PROCESS)


LASTING = RUNBOOK.model_copy(
    update={
        "items": (*map(_item, (DURATION, DOWNTIME, TOLD, HOUR)), *RUNBOOK.items),
        "slos": (
            *RUNBOOK.slos,
            Slo(id="deployment-success", title="Success", kind="history", objective=0.95, better="above"),
        ),
        "questions": ("What worked?", "What is next?", "What surprised?", "What prevents it?"),
    }
)
"""The small runbook, with what a deployment measures, and questions after it."""


def took(minutes: float, *, at: float, downtime_s: float = 0.0, who: str = "Ada") -> tuple[Result, ...]:
    """What the deploy phase measures of a deployment that began at a minute."""
    taken = (
        Measurement("duration", minutes * 60, "s"),
        Measurement("began_at", moment(at)),
        Measurement("committed_at", moment(at - 30)),
        Measurement("branch", "main"),
    )
    return (
        result(DURATION, measurements=taken),
        result(DOWNTIME, measurements=(Measurement("downtime", downtime_s, "s"),)),
        result(TOLD, measurements=(Measurement("who", who),)),
    )


def fill(url: str, folder: Path, *, runbook: Runbook = LASTING, environment: str = "staging") -> None:
    """Twelve good deployments, a bad one, the one after it, and four runs that do not count."""
    common: dict[str, Any] = {"runbook": runbook, "environment": environment}
    with Store.opened(url) as store:
        for n in range(12):
            at = n * DAY
            fast = tuple(value + 3 * n for value in MET)
            seen = (measured(LATENCY, response_times=fast), measured(ERRORS, errors=0, requests=400))
            store.add(
                recorded(
                    folder / f"{n}",
                    *took(4 + n / 10, at=at),
                    *seen,
                    run=f"good-{n}",
                    minute=at + 5,
                    commit=f"{n:07x}" + "c" * 33,
                    phases=BOTH,
                    **common,
                )
            )
        _bad(store, folder, 12 * DAY, common)
        for n, more in enumerate(ASIDES):
            told = {"run": f"aside-{n}", "minute": 13 * DAY + n, "commit": GOOD} | common | more
            store.add(recorded(folder / f"aside-{n}", result(LIVE, Status.FAILED), **told))


def _bad(store: Store, folder: Path, at: float, common: dict[str, Any]) -> None:
    slow = (measured(LATENCY, response_times=NOT_MET), measured(ERRORS, errors=40, requests=400))
    failing = result(SIGN_IN, Status.FAILED, "401 of 3", started_at=moment(at + 6))
    blank = result(WEBHOOK, Status.UNVERIFIED, "STRIPE_WEBHOOK_SECRET is not set")
    deployed = took(7, at=at, downtime_s=21, who="Grace")
    told = {"run": "bad-one", "minute": at + 8, "commit": BAD, "phases": BOTH, **common}
    store.add(recorded(folder / "bad", *deployed, *slow, failing, blank, **told))
    done = Decision(
        run="bad-one", deed=DecisionKind.ROLLED_BACK, who="Ada", at=moment(at + 24), note="sign-in is down"
    )
    store.decide(done)
    after = recorded(folder / "after", run="after", minute=at + 90, commit="d" * 40, phases=BOTH, **common)
    store.add(replace(after, run=replace(after.run, folder=str(folder / "gone"))))
