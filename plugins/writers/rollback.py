"""A rollback in words: the plan before it, the truth after it, and the files that keep both."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from plugins.model.figures import duration
from plugins.model.rollback import SCHEMA, End, Outcome, Plan, Progressed, Record
from plugins.model.words import Action
from plugins.writers import words
from plugins.writers.inert import inert, one_line
from plugins.writers.markup import plain

_LABEL = 13
_WIDTH = 100
_MESSAGE = 400
_WARNINGS = 6
_HOW = {"done": "ROLLED BACK", "stopped": "NOT FINISHED", "interrupted": "INTERRUPTED"}
_CALLS = {0: Action.PROCEED, 10: Action.FIX_FORWARD}


def plan_lines(plan: Plan, why: str, subject: str, *, wait_s: float) -> list[str]:
    """What a person reads before saying yes.

    Args:
        plan: what is to be done.
        why: the ground of it, in a sentence.
        subject: the verdict that it follows, with its age; "" where a person named the deploys.
        wait_s: how long one service may take, in seconds.
    """
    names = " and ".join(target.name for target in plan.targets)
    entries = [("ROLL BACK" if not n else "", _from_to(plan, n)) for n in range(len(plan.targets))]
    entries += [("  stays", f"{one.name}, as it is") for one in plan.stays]
    entries += [("  because", one_line(why, _MESSAGE))] if why else []
    entries += [("  by", f"the verdict {subject}")] if subject else []
    entries += [("  order", plan.why_order)] if plan.why_order else []
    entries += [
        ("  first", f"auto-deploy off on {names}; it stays off until you switch it on again"),
        ("  then", f"wait until each is live, at most {duration(wait_s)} each; verify; record it"),
    ]
    entries += [("  mind", one_line(one, _MESSAGE)) for one in plan.warnings[:_WARNINGS]]
    if (more := len(plan.warnings) - _WARNINGS) > 0:
        entries.append(("", f"and {more} more in the report"))
    return [f"{plan.environment} · rollback", *_laid_out(entries)]


def call_lines(calls: Iterable[str]) -> list[str]:
    """The calls of a dry run, each whole on one line, so that it can be copied."""
    return [
        "  would send, each after a look at the service, and none that is not needed any more:",
        *(f"    {number}. {one_line(call, _MESSAGE)}" for number, call in enumerate(calls, start=1)),
        "  Nothing was sent. Each call carries the header Authorization: Bearer and the key.",
    ]


def outcome_lines(outcome: Outcome, again: str) -> list[str]:
    """What was done, what was not, and what to do about it.

    Args:
        outcome: of the execution.
        again: the command that finishes what is not done.
    """
    back = [one for one in outcome.services if one.back]
    entries = [(_HOW[outcome.end], _headline(outcome))]
    entries += [("  done" if not n else "", _told(one)) for n, one in enumerate(back)]
    rest = [one for one in outcome.services if not one.back]
    entries += [("  not done" if not n else "", _told(one)) for n, one in enumerate(rest)]
    entries += [("  pushes" if not n else "", text) for n, text in enumerate(_pushes(outcome))]
    if outcome.end is not End.DONE:
        entries += [("  finish", f"{again}: it looks first, and does only what is left")]
        entries += [
            ("  by hand", f"{one.target.dashboard} → Rollbacks → {one.target.to} (auto-deploy off first)")
            for one in rest
        ]
    return _laid_out(entries)


def ending_lines(record: Record, journal: str) -> list[str]:
    """What came after the services were back: verified, recorded, and where it is written."""
    entries = []
    if record.verified is not None:
        call = _CALLS.get(record.verified, Action.INCONCLUSIVE)
        entries.append(("  verified", f"the rollback phase says {words.CALLS[call]}: {record.report}"))
    recorded = f"NOT in the ledger: {record.recorded}" if record.recorded else "in the ledger"
    entries.append(("  recorded", f"{recorded}; every step in {journal}"))
    switch = f'PATCH {record.plan.targets[0].api} {{"autoDeploy": "yes"}}'
    tell = "tell the team; fix it; then switch auto-deploy on again, in the settings of each service on the"
    entries.append(("  next", f"{tell} dashboard, or by {switch}"))
    return _laid_out(entries)


def rollback_json(record: Record) -> str:
    """The record as JSON text."""
    data = {
        "schema": SCHEMA,
        "environment": record.plan.environment,
        "run": record.plan.run,
        "by": record.by,
        "how": record.how,
        "end": record.outcome.end,
        "why": record.outcome.why,
        "began_at": record.outcome.began_at,
        "ended_at": record.outcome.ended_at,
        "services": [
            {**asdict(one.target), "state": one.state, "back": one.back, "deploy": one.deploy}
            | {"auto_deploy": one.auto_deploy, "took_s": one.took_s}
            for one in record.outcome.services
        ],
        "stays": [one.name for one in record.plan.stays],
        "verified": record.verified,
        "report": record.report,
        "recorded": record.recorded,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def rollback_md(record: Record) -> str:
    """The record as a page for the deployment log."""
    outcome = record.outcome
    lines = [
        f"# Rollback of {plain(record.plan.environment)}: {_HOW[outcome.end].lower()}",
        "",
        f"- Began: {words.moment(outcome.began_at)}",
        f"- Ended: {words.moment(outcome.ended_at)}",
        f"- By: {plain(record.by)} ({plain(record.how)})",
    ]
    lines += [f"- Why it is not finished: {plain(outcome.why)}"] if outcome.why else []
    lines += ["", "| service | from | to | now | auto-deploy |", "| --- | --- | --- | --- | --- |"]
    for one in outcome.services:
        step, deploys = one.target.step, {True: "on", False: "off", None: "not seen"}[one.auto_deploy]
        cells = (step.service, words.source(step), words.target(step), _state(one), deploys)
        lines.append(f"| {' | '.join(plain(cell) for cell in cells)} |")
    verified = {None: "not run", 0: "proceed", 10: "fix forward"}.get(record.verified, "inconclusive")
    lines += ["", f"Rollback phase: {verified}" + (f", {plain(record.report)}" if record.report else "")]
    return "\n".join(lines) + "\n"


def _from_to(plan: Plan, number: int) -> str:
    step = plan.targets[number].step
    place = f"{number + 1}. " if len(plan.targets) > 1 else ""
    return f"{place}{step.service} from {words.source(step)} to {words.target(step)}"


def _headline(outcome: Outcome) -> str:
    back = sum(one.back for one in outcome.services)
    if outcome.end is End.DONE:
        return f"{' and '.join(one.target.name for one in outcome.services)}, as planned"
    return f"{back} of {len(outcome.services)} services back: {inert(outcome.why)}"


def _told(one: Progressed) -> str:
    return f"{one.target.name}: {_state(one)}"


def _state(one: Progressed) -> str:
    return one.state + (f" after {duration(one.took_s)}" if one.took_s is not None else "")


def _pushes(outcome: Outcome) -> Iterator[str]:
    told = {
        False: "auto-deploy is off on {}",
        True: "auto-deploy is STILL ON on {}: a push is deployed by itself",
        None: "whether auto-deploy is on was not seen on {}",
    }
    for state, text in told.items():
        names = [one.target.name for one in outcome.services if one.auto_deploy is state]
        if names:
            yield text.format(" and ".join(names))


def _laid_out(entries: Iterable[tuple[str, str]]) -> list[str]:
    found = []
    for label, text in entries:
        pieces = textwrap.wrap(one_line(text, 2_000), _WIDTH - _LABEL, break_on_hyphens=False) or [""]
        found.append(f"{label:<{_LABEL}}{pieces[0]}".rstrip())
        found += [" " * _LABEL + piece for piece in pieces[1:]]
    return found
