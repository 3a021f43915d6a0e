"""Several runs about one deployment: a run for each phase, and one call for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.model.verdict import Verdict
from plugins.model.words import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run of a round.

    Attributes:
        phase: what was selected, such as "postdeploy".
        folder: the name of its report's folder.
        verdict: None where it left none.
        why: why there is no verdict that counts; "" where there is one.
        left_out: it was not started, on purpose, so that nothing is missing.
    """

    phase: str
    folder: str
    verdict: Verdict | None = None
    why: str = ""
    left_out: bool = False

    @property
    def call(self) -> Action | None:
        """What counts of it; None for a run that was left out."""
        if self.left_out:
            return None
        return self.verdict.recommendation if self.verdict and not self.why else Action.INCONCLUSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What became of one deployment's verification.

    Attributes:
        environment, commit: "" where nobody knows.
        turns: in the order in which they ran.
        recommendation: of all of them together.
        why: why nothing is known at all; "" where something is.
    """

    environment: str
    commit: str
    turns: tuple[Turn, ...]
    recommendation: Action
    why: str = ""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Those that there are."""
        return tuple(turn.verdict for turn in self.turns if turn.verdict)

    @property
    def decisive(self) -> Turn | None:
        """The first turn that says what all say together; of those that find all well, the last."""
        agreeing = [turn for turn in self.turns if turn.call is self.recommendation]
        if not agreeing:
            return None
        return agreeing[-1 if self.recommendation is Action.PROCEED else 0]
