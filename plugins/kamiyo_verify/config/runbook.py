"""Read runbook.toml, and refuse it if it contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from kamiyo_verify.config.announcement_templates import unfillable
from kamiyo_verify.config.draft import Draft, shown
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.mistakes import Loc, Mistake, did_you_mean
from kamiyo_verify.config.runbook_keys import flatten
from kamiyo_verify.config.service_names import fitting, refuse_moved_runbook_keys, services_are_named
from kamiyo_verify.model.runbook import Runbook

SLO_FILE = "slo_file"


def runbook_of(environment: Environment, root: Path) -> Runbook:
    """Return the runbook for an environment.

    Args:
        environment: may name its own file of objectives.
        root: the project's folder.

    Raises:
        ConfigurationError: see `load_runbook` and `fitting`.
    """
    slos = root / environment.slo_file if environment.slo_file else None
    return fitting(load_runbook(root / "runbook.toml", slos), environment)


def load_runbook(path: Path, slos: Path | None = None, not_used: list[str] | None = None) -> Runbook:
    """Load and validate a runbook.

    Args:
        path: the path of the file. Its key slo_file may name a file of objectives, relative to it.
        slos: a file of objectives that replaces those of the runbook.
        not_used: receives the parts of a file of objectives that have no effect.

    Raises:
        ConfigurationError: there are mistakes; the message lists all of them with their lines.
    """
    draft = Draft.read(path)
    flatten(draft)
    refuse_moved_runbook_keys(draft)
    named = draft.table.pop(SLO_FILE, None)
    if named is not None and "slos" in draft.table:
        draft.refuse((SLO_FILE,), "stands beside a table of slos, which it would replace: keep one of them")
    elif named is not None and not (isinstance(named, str) and named.strip()):
        draft.refuse((SLO_FILE,), "must be the path of a file, in quotes")
    elif named is not None and slos is None:
        slos = path.parent / named
    if named is not None:
        draft.table.setdefault("slos", [])
    table = draft.table
    runbook = draft.validated(Runbook, rules=_contradictions)
    if slos is None:
        return runbook
    from kamiyo_verify.config.openslo.files import read_slos  # noqa: PLC0415 - brings YAML with it

    found = read_slos(slos, items=[item.id for item in runbook.items], table=runbook.slos)
    if not_used is not None:
        not_used += found.not_used
    rows = [slo.model_dump(mode="json") for slo in found.slos]
    return Draft(shown(slos), {**table, "slos": rows}).validated(Runbook, rules=_contradictions)


def _contradictions(runbook: Runbook) -> Iterator[Mistake]:
    for rule in _RULES:
        yield from rule(runbook)


def _ids_are_unique(runbook: Runbook) -> Iterator[Mistake]:
    lists: list[list[tuple[Loc, str]]] = [
        [(("items", n), item.id) for n, item in enumerate(runbook.items)],
        [(("slos", n), slo.id) for n, slo in enumerate(runbook.slos)],
        [(("remedies", n), remedy.id) for n, remedy in enumerate(runbook.remedies)],
        [(("log_patterns", n), pattern.id) for n, pattern in enumerate(runbook.log_patterns)],
        [(("suppliers", n), supplier.id) for n, supplier in enumerate(runbook.suppliers)],
        [(("announcements", n), announcement.id) for n, announcement in enumerate(runbook.announcements)],
        [
            *((("policy", "roll_back", n), clause.id) for n, clause in enumerate(runbook.policy.roll_back)),
            *(
                (("policy", "do_not_roll_back", n), clause.id)
                for n, clause in enumerate(runbook.policy.do_not_roll_back)
            ),
        ],
    ]
    for rows in lists:
        seen: set[str] = set()
        for loc, row_id in rows:
            if row_id in seen:
                yield Mistake((*loc, "id"), "this id is taken by a row above; each row needs one of its own")
            seen.add(row_id)


def _items_say_what_they_are(runbook: Runbook) -> Iterator[Mistake]:
    for n, item in enumerate(runbook.items):
        if not item.title.strip():
            yield Mistake(("items", n, "title"), "must not be empty")


def _remedies_exist(runbook: Runbook) -> Iterator[Mistake]:
    known = [remedy.id for remedy in runbook.remedies]
    named: list[tuple[Loc, str]] = [
        *((("items", n, "remedy"), item.remedy) for n, item in enumerate(runbook.items)),
        *((("log_patterns", n, "remedy"), found.remedy) for n, found in enumerate(runbook.log_patterns)),
    ]
    for loc, remedy in named:
        if remedy and remedy not in known:
            meant = did_you_mean(remedy, known) or ";"
            yield Mistake(loc, f'no remedy is called "{remedy}"{meant} there are: {", ".join(known)}')


def _known_suppliers(runbook: Runbook) -> Iterator[Mistake]:
    known = {row.id for row in runbook.suppliers}
    for n, item in enumerate(runbook.items):
        if item.supplier is not None and item.supplier not in known:
            yield Mistake(("items", n, "supplier"), f'no row of suppliers has the id "{item.supplier}"')


_FED_BY = {
    "quantile": ("item", "measurement", "quantile"),
    "ratio": ("item", "measurement", "total"),
    "history": (),
}


def _objectives_can_be_judged(runbook: Runbook) -> Iterator[Mistake]:
    known = [item.id for item in runbook.items]
    for n, slo in enumerate(runbook.slos):
        for key in _FED_BY[slo.kind]:
            if not getattr(slo, key):
                yield Mistake(("slos", n, key), f'is missing: an objective of kind "{slo.kind}" needs it')
        for key in ("item", "measurement", "total", "quantile"):
            if getattr(slo, key) and key not in _FED_BY[slo.kind]:
                yield Mistake(("slos", n, key), f'has no meaning for an objective of kind "{slo.kind}"')
        if slo.preferred_source is not None and slo.kind != "quantile":
            yield Mistake(
                ("slos", n, "preferred_source"), f'has no meaning for an objective of kind "{slo.kind}"'
            )
        if slo.preferred_source is not None and slo.preferred_source.item not in known:
            meant = did_you_mean(slo.preferred_source.item, known)
            yield Mistake(("slos", n, "preferred_source", "item"), f"no item has this id{meant}")
        if slo.item and slo.item not in known:
            yield Mistake(("slos", n, "item"), f"no item has this id{did_you_mean(slo.item, known)}")
        if slo.kind != "quantile" and not 0 < slo.objective < 1:
            yield Mistake(("slos", n, "objective"), f"must be a share between 0 and 1, not {slo.objective:g}")
        if slo.kind == "quantile" and slo.objective <= 0:
            yield Mistake(("slos", n, "objective"), f"must be more than 0, not {slo.objective:g}")


def _policy_is_whole(runbook: Runbook) -> Iterator[Mistake]:
    policy = runbook.policy
    if not policy.required_impacts:
        yield Mistake(("policy", "required_impacts"), "must not be empty: nothing would have to be verified")
    roll_back = {clause.impact for clause in policy.roll_back}
    for impact in policy.required_impacts:
        if impact not in roll_back:
            yield Mistake(
                ("policy", "required_impacts"),
                f'"{impact}" is required, and no clause of policy.roll_back has that impact',
            )
    for n, clause in enumerate(policy.roll_back):
        if clause.impact is None:
            yield Mistake(("policy", "roll_back", n, "impact"), "is missing: no failure would fall under it")
    for n, clause in enumerate(policy.do_not_roll_back):
        if clause.impact is not None and clause.impact in roll_back:
            yield Mistake(
                ("policy", "do_not_roll_back", n, "impact"),
                f'"{clause.impact}" stands under policy.roll_back too; it can be only one of them',
            )
        if clause.limit is not None and not 0 < clause.limit < 1:
            yield Mistake(
                ("policy", "do_not_roll_back", n, "limit"),
                f"must be a share between 0 and 1 (50 % is 0.5), not {clause.limit:g}",
            )


def _every_impact_has_a_clause(runbook: Runbook) -> Iterator[Mistake]:
    policy = runbook.policy
    clauses = (*policy.roll_back, *policy.do_not_roll_back)
    known = {clause.impact for clause in clauses}
    for n, item in enumerate(runbook.items):
        if item.impact not in known:
            description = ", ".join(sorted(impact for impact in known if impact))
            yield Mistake(
                ("items", n, "impact"),
                f'no clause of the policy has the impact "{item.impact}"; there are: {description or "none"}',
            )
    impacts = [clause.impact for clause in policy.roll_back]
    for n, clause in enumerate(policy.roll_back):
        if clause.impact is not None and clause.impact in impacts[:n]:
            yield Mistake(
                ("policy", "roll_back", n, "impact"), f'"{clause.impact}" has a clause above; one is enough'
            )
        if clause.silence and any(other.silence for other in policy.roll_back[:n]):
            yield Mistake(("policy", "roll_back", n, "silence"), "is true in a clause above; one takes it")


def _everyone_has_a_moment(runbook: Runbook) -> Iterator[Mistake]:
    for n, row in enumerate(runbook.escalation):
        if (row.from_minute is None) != row.critical:
            yield Mistake(("escalation", n), "needs either from_minute or critical = true")


def _log_patterns_compile(runbook: Runbook) -> Iterator[Mistake]:
    for n, row in enumerate(runbook.log_patterns):
        try:
            re.compile(row.pattern)
        except re.error as error:
            yield Mistake(("log_patterns", n, "pattern"), f"is no regular expression: {error}")


def _announcements_can_be_filled(runbook: Runbook) -> Iterator[Mistake]:
    for n, row in enumerate(runbook.announcements):
        if problem := unfillable(row, runbook.services.names):
            yield Mistake(("announcements", n, "text"), problem)


_RULES: tuple[Callable[[Runbook], Iterator[Mistake]], ...] = (
    _ids_are_unique,
    _items_say_what_they_are,
    services_are_named,
    _remedies_exist,
    _known_suppliers,
    _objectives_can_be_judged,
    _policy_is_whole,
    _every_impact_has_a_clause,
    _everyone_has_a_moment,
    _log_patterns_compile,
    _announcements_can_be_filled,
)
