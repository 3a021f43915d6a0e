"""The combined call of the places that were visited, with those that were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kamiyo_verify.cli.exporting import phases_in
from kamiyo_verify.cli.places.remote import Order
from kamiyo_verify.cli.places.visit import Visit
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.evidence.recording import masked
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.judge.conclusion import undecided
from kamiyo_verify.judge.places.combine import combine
from kamiyo_verify.judge.places.requirements import CannotCombine
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.places.places import PlaceReport
from kamiyo_verify.model.policy import Policy
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action
from kamiyo_verify.reporting.inert import one_line


def combined(
    visits: Sequence[Visit], environment: Environment, policy: Policy, masker: Masker, order: Order
) -> Verdict:
    """Return the call of all places, without secrets; runs that say nothing about each other make none."""
    absent = [_absent(visit) for visit in visits if visit.verdict is None]
    runs = [visit.verdict for visit in visits if visit.verdict is not None]
    why = "no place gave a run that counts"
    try:
        if runs:
            return masked(combine(runs, policy, datetime.now(UTC), absent), masker)
    except CannotCombine as error:
        why = str(error)
        absent += [_described(run) for run in runs]
    moment = now()
    verdict = undecided(
        project=environment.title,
        environment=environment.name,
        phase=runs[0].phase if runs else phases_in([order.mark]),
        commit=order.commit,
        started_at=min((run.started_at for run in runs), default=moment),
        finished_at=moment,
        headline=one_line(why, 600),
        next_step="see why each place does not count, and run it again",
    )
    places = tuple(sorted(absent, key=lambda one: one.place))
    return masked(replace(verdict, places=places), masker)


def _absent(visit: Visit) -> PlaceReport:
    return PlaceReport(
        place=visit.remote.name,
        recommendation=Action.INCONCLUSIVE,
        headline="no run that counts",
        finished_at=now(),
        left_out=one_line(visit.left_out or "it gave no run", 600),
    )


def _described(run: Verdict) -> PlaceReport:
    return PlaceReport(
        place=run.place,
        recommendation=run.recommendation,
        headline=run.headline,
        finished_at=run.finished_at,
    )
