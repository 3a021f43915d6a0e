"""A service that falls silent again and again never gets "proceed", whichever items met it."""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.recurring import falls_silent_again
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.figures import percent
from kamiyo_verify.model.words import Action, Phase, Status
from tests.engine.judge.test_outages import timeline
from tests.support.evidence_for import HEALTH, LIVE, evidence, looks, result

WELL = "S" * 20


def seen(pattern: str) -> Evidence:
    """All items pass, and one answer a letter of the API: S answered, F 503, N none."""
    return evidence(timelines=(timeline(pattern),))


@pytest.mark.parametrize(
    ("pattern", "action"),
    [
        # A crash loop: a fifth of the time, a tenth, by a gateway's status, at the end of the run.
        (("S" * 8 + "NN") * 4, Action.INCONCLUSIVE),
        (("S" * 12 + "NNN") * 3 + "S" * 9, Action.INCONCLUSIVE),
        (("S" * 18 + "FF") * 3, Action.INCONCLUSIVE),
        ("NN" + WELL + "FN", Action.INCONCLUSIVE),
        ("SSNSSSNSSSN" + WELL[:7], Action.INCONCLUSIVE),
        # It began again at once, and has been well for longer than between the spells.
        ("NNN" + "SS" + "NN" + WELL, Action.PROCEED),
        ("S" * 8 + "NN" + "S" * 8 + "NN" + "S" * 24, Action.PROCEED),
        # One outage, however long; strays; few among many.
        (WELL + "N" * 10 + "S" * 3, Action.PROCEED),
        ("N" * 10 + "S" * 3, Action.PROCEED),
        (WELL + "N" + WELL + "N" + "SSS", Action.PROCEED),
        ("S" * 50 + "NN" + "S" * 50 + "NN" + "SS", Action.PROCEED),
        (WELL, Action.PROCEED),
    ],
)
def test_silence_that_comes_again_is_no_proceed(pattern: str, action: Action) -> None:
    verdict = decide(seen(pattern))
    assert verdict.recommendation is action
    if action is Action.INCONCLUSIVE:
        assert "it may be in a crash loop" in verdict.headline


def test_the_numbers_are_in_the_headline() -> None:
    verdict = decide(seen(("S" * 8 + "NN") * 4))
    assert verdict.headline.startswith(f"api fell silent 4 times, {percent(0.2)} of 40 requests unanswered")


def test_what_was_looked_at_again_stands() -> None:
    ended = Confirmation("2026-11-23T14:10:00+00:00", looks("F" + "P" * 8), None)
    again = result(HEALTH, Status.FAILED, confirmation=ended)
    assert falls_silent_again(evidence(again, timelines=(timeline(("S" * 8 + "NN") * 4),))) is None


def test_a_graver_call_is_not_hidden() -> None:
    pattern = (timeline(("S" * 8 + "NN") * 4),)
    assert (
        decide(evidence(result(LIVE, Status.FAILED), timelines=pattern)).recommendation is Action.FIX_FORWARD
    )
    assert (
        decide(evidence(result(HEALTH, Status.FAILED), timelines=pattern)).recommendation is Action.ROLL_BACK
    )


@pytest.mark.parametrize("phases", [(Phase.PREFLIGHT,), (Phase.DEPLOY,), (Phase.PREFLIGHT, Phase.DEPLOY)])
def test_a_service_may_restart_while_it_is_deployed(phases: tuple[Phase, ...]) -> None:
    assert falls_silent_again(evidence(phases=phases, timelines=(timeline(("S" * 8 + "NN") * 4),))) is None


def test_a_baseline_says_nothing_of_a_deployment() -> None:
    found = evidence(records_baseline=True, timelines=(timeline(("S" * 8 + "NN") * 4),))
    assert falls_silent_again(found) is None
