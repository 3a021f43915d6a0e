"""Calls that were made from the runs of several places: one call of one deployment.

Such a call counts in the history as a run does, and each of its places' runs counts with that call in place
of its own: one place alone does not condemn a commit.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from kamiyo_verify.ledger import rows
from kamiyo_verify.ledger.insertion import insert_if_new
from kamiyo_verify.ledger.schema import COMBINED, COMBINED_PLACES, RUNS
from kamiyo_verify.model.history.history import Deployed, PastRun
from kamiyo_verify.model.history.recorded_run import Ending, Outline
from kamiyo_verify.model.places.places import PlaceReport
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action


@dataclass(frozen=True, slots=True)
class Combined:
    """A recorded call of several places.

    Attributes:
        row: its row.
        members: the ids of its places' runs that this ledger has.
        counts: whether it says something about a deployment: no run was a baseline or a drill.
    """

    row: rows.Found
    members: frozenset[str]
    counts: bool


def identity(verdict: Verdict) -> str:
    """The id of a combined verdict: the same runs have the same, wherever they are combined."""
    runs = sorted(f"{one.place} {one.finished_at}" for one in verdict.places)
    text = "\n".join([verdict.environment, *runs])
    return f"places-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def add(connection: Connection, verdict: Verdict) -> bool:
    """Record a combined verdict; return whether no call of these runs was recorded before."""
    row: dict[str, Any] = {
        "id": identity(verdict),
        "environment": verdict.environment,
        "phases": verdict.phase,
        "commit_sha": verdict.commit,
        "started_at": verdict.started_at,
        "finished_at": verdict.finished_at,
        "recommendation": verdict.recommendation,
        "exit_code": verdict.exit_code,
        "headline": verdict.headline,
        "blamed": rows.blamed(verdict),
        "verdict": rows.packed(verdict.as_json()),
    }
    query = insert_if_new(COMBINED, COMBINED.c.id, connection)
    if connection.execute(query, row).first() is None:
        return False
    connection.execute(insert(COMBINED_PLACES), [_place(row["id"], one) for one in verdict.places])
    return True


def found(connection: Connection, environment: str) -> tuple[Combined, ...]:
    """Return the combined calls of an environment, in the order in which their last runs ended."""
    columns = [column for column in COMBINED.columns if column.name != "verdict"]
    query = select(*columns).where(COMBINED.c.environment == environment)
    calls = connection.execute(query.order_by(COMBINED.c.finished_at, COMBINED.c.id)).all()
    same = (RUNS.c.place == COMBINED_PLACES.c.place) & (RUNS.c.finished_at == COMBINED_PLACES.c.finished_at)
    members = (
        select(COMBINED_PLACES.c.combined_id, RUNS.c.id, RUNS.c.baseline, RUNS.c.drill)
        .join(RUNS, same)
        .where(RUNS.c.environment == environment)
    )
    runs: defaultdict[str, set[str]] = defaultdict(set)
    aside: set[str] = set()
    for combined, run, baseline, drill in connection.execute(members):
        runs[combined].add(run)
        if baseline or drill:
            aside.add(combined)
    return tuple(Combined(one, frozenset(runs[one.id]), one.id not in aside) for one in calls)


def counted(runs: Iterable[PastRun], calls: Iterable[Combined]) -> tuple[PastRun, ...]:
    """Return the runs with the combined calls among them, oldest first."""
    known = {run.id: run for run in runs}
    for call in calls:
        if not call.counts:
            continue
        action, is_blamed = Action(call.row.recommendation), call.row.blamed
        for member in call.members & known.keys():
            known[member] = replace(known[member], recommendation=action, blamed=is_blamed)
        known[call.row.id] = PastRun(
            id=call.row.id,
            phases=rows.phases(call.row),
            started_at=call.row.started_at,
            recommendation=action,
            blamed=is_blamed,
            deployed=Deployed(commit=call.row.commit_sha),
        )
    return tuple(sorted(known.values(), key=lambda run: (run.started_at, run.id)))


def outline(call: Combined) -> Outline:
    """Return a combined call in outline, as a run without a folder."""
    row = call.row
    return Outline(
        id=row.id,
        environment=row.environment,
        phases=rows.phases(row),
        commit=row.commit_sha,
        baseline=False,
        drill=not call.counts,
        started_at=row.started_at,
        ending=Ending.FINISHED,
        folder="",
        recommendation=Action(row.recommendation),
        headline=row.headline,
        finished_at=row.finished_at,
        combined=True,
    )


def remove(connection: Connection, ids: Collection[str]) -> None:
    """Remove the combined calls among these ids."""
    connection.execute(delete(COMBINED_PLACES).where(COMBINED_PLACES.c.combined_id.in_(ids)))
    connection.execute(delete(COMBINED).where(COMBINED.c.id.in_(ids)))


def _place(combined: str, one: PlaceReport) -> dict[str, Any]:
    return {
        "combined_id": combined,
        "place": one.place,
        "finished_at": one.finished_at,
        "recommendation": one.recommendation,
        "headline": one.headline,
        "left_out": one.left_out,
    }
