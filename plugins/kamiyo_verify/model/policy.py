"""The rollback policy as data: its clauses and what each of them needs."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from kamiyo_verify.model.words import Impact

PlacesQuorum: TypeAlias = Literal["majority", "all"] | Annotated[int, Field(ge=2, strict=True)]
"""How many of the places that count must call for a rollback: more than half, all, or a number."""


class Row(BaseModel):
    """A frozen row that rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Clause(Row):
    """One clause of the rollback policy in the runbook.

    Attributes:
        impact: the impact of the failures under this clause (None: the clause is judged by numbers).
        limit: the number in the clause, as a share ("slowdown under 50 %" is 0.5).
        headline: text for reports if the clause applies, such as "payments are failing"; default: its text.
        proof: what proves such a failure: "any" failure, or only the "content" of an answer; then a status
            code, or a service that does not answer properly, is not proof.
        silence: whether the clause covers services that do not answer properly, whichever item finds it.
        data_damage: whether a rollback of code does not repair the failure.
        confirmation: "long": confirmed after the environment's confirmation time; "short": two separate
            requests, seconds apart, are enough.
    """

    id: str
    text: str
    impact: Impact | None = None
    limit: float | None = None
    headline: str = ""
    proof: Literal["any", "content"] = "any"
    silence: bool = False
    data_damage: bool = False
    confirmation: Literal["long", "short"] = "long"

    @property
    def says(self) -> str:
        """The text for reports if the clause applies."""
        return self.headline or self.text


_ROLL_BACK = (
    Clause(
        id="security-hole",
        text="a security hole introduced",
        headline="a security hole is open",
        impact=Impact.SECURITY,
        proof="content",
        confirmation="short",
    ),
    Clause(
        id="data-corrupted",
        text="database corruption",
        headline="data is damaged or gone",
        impact=Impact.DATA,
        proof="content",
        data_damage=True,
    ),
    Clause(
        id="auth-broken",
        text="authentication broken completely",
        headline="authentication is broken",
        impact=Impact.AUTH,
    ),
    Clause(
        id="payments-failing",
        text="payments failing",
        headline="payments are failing",
        impact=Impact.PAYMENTS,
    ),
    Clause(
        id="core-broken",
        text="a critical bug in core functionality",
        headline="core functionality is broken",
        impact=Impact.CORE,
        silence=True,
    ),
)
_DO_NOT_ROLL_BACK = (
    Clause(id="minor-ui", text="a minor flaw in the interface", impact=Impact.UI),
    Clause(id="minor-feature", text="a bug in a feature that is not critical", impact=Impact.FEATURE),
    Clause(id="process-step", text="a step that users do not feel", impact=Impact.PROCESS),
    Clause(id="small-slowdown", text="a slowdown of less than 50 %", impact=Impact.PERFORMANCE, limit=0.5),
    Clause(id="few-users", text="fewer than 5 % of users affected", limit=0.05),
)


class Policy(Row):
    """When to roll back, when not, and what must be verified before "proceed".

    The defaults are the clauses that docs/judgement.md explains.

    Attributes:
        data_loss_limit: the share by which a count of rows may fall since the baseline.
        places_quorum: how many of several places must call for a rollback.
        places_within_min: minutes; a run of a place that ended earlier is not combined.
    """

    roll_back: tuple[Clause, ...] = _ROLL_BACK
    do_not_roll_back: tuple[Clause, ...] = _DO_NOT_ROLL_BACK
    required_impacts: tuple[Impact, ...] = tuple(clause.impact for clause in _ROLL_BACK if clause.impact)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    data_loss_limit: float = Field(default=0.2, ge=0, le=1)
    places_quorum: PlacesQuorum = "majority"
    places_within_min: float = Field(default=60.0, gt=0)

    def rollback_clause(self, impact: Impact) -> Clause | None:
        """Return the clause that requires a rollback for failures of that impact, if there is one."""
        return next((clause for clause in self.roll_back if clause.impact is impact), None)

    @property
    def damage_clause(self) -> Clause | None:
        """The clause for damaged data, which a rollback of code does not repair, if there is one."""
        return next((clause for clause in self.roll_back if clause.data_damage), None)

    def clause_of_status(self, impact: Impact) -> Clause | None:
        """Return the clause for a service that answers by an error status, as items of that impact saw it."""
        own = self.rollback_clause(impact)
        return self.silence_clause if own is not None and own.proof == "content" else own

    @property
    def silence_clause(self) -> Clause | None:
        """The clause that covers services that do not answer properly, if there is one."""
        return next((clause for clause in self.roll_back if clause.silence), None)
