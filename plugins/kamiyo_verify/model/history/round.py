"""A round: the runs of one deployment, one for each phase, and one call for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run of a round.

    Attributes:
        phase: what was selected, such as "postdeploy".
        folder: name of its report's folder.
        verdict: its verdict; None if there is none.
        why: why there is no valid verdict; "" if there is one.
        left_out: whether it was intentionally not started.
    """

    phase: str
    folder: str
    verdict: Verdict | None = None
    why: str = ""
    left_out: bool = False

    @property
    def call(self) -> Action | None:
        """The call of this run; None if it was left out."""
        if self.left_out:
            return None
        return self.verdict.recommendation if self.verdict and not self.why else Action.INCONCLUSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The verification of one deployment.

    Attributes:
        environment, commit: "" if unknown.
        turns: the runs, in order.
        recommendation: the combined recommendation of all runs.
        why: why nothing is known; "" if there is a result.
    """

    environment: str
    commit: str
    turns: tuple[Turn, ...]
    recommendation: Action
    why: str = ""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The existing verdicts."""
        return tuple(turn.verdict for turn in self.turns if turn.verdict)

    @property
    def decisive(self) -> Turn | None:
        """The first run with the combined recommendation; if that is "proceed", the last one."""
        agreeing = [turn for turn in self.turns if turn.call is self.recommendation]
        if not agreeing:
            return None
        return agreeing[-1 if self.recommendation is Action.PROCEED else 0]
