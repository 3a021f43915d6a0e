"""What a round's series cannot call: failures of another commit, a rollback that the schema forbids."""

from __future__ import annotations

from dataclasses import replace

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.serving import JUDGED
from kamiyo_verify.model.history.watch import Line, RoundSeries
from kamiyo_verify.model.words import Action


def limited(evidence: Evidence, series: RoundSeries) -> RoundSeries:
    """Return the series with what it may call in this round."""
    strangers = {service for service, serves in evidence.serving.items() if serves not in JUDGED}
    on_release = not strangers & set(evidence.item(series.item).services)
    lines = tuple(Line(line.share, _possible(evidence, line.action)) for line in series.lines)
    return replace(series, judged=series.judged and on_release, lines=lines)


def _possible(evidence: Evidence, action: Action) -> Action:
    schema = evidence.migrated
    if action is not Action.ROLL_BACK or schema is None or not (schema.grave or schema.unread):
        return action
    return Action.FIX_FORWARD if schema.grave else Action.INCONCLUSIVE
