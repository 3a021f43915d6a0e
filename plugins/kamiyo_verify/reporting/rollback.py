"""Texts about a rollback: the plan before it, the outcome after it, and the files of its record."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.hosting.rollback import SCHEMA, End, Outcome, Plan, Progressed, Record
from kamiyo_verify.model.words import Action
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.inert import inert, one_line
from kamiyo_verify.reporting.markup import plain

_LABEL = 13
_WIDTH = 100
_MESSAGE = 400
_WARNINGS = 6
_HOW = {"done": "ROLLED BACK", "stopped": "NOT FINISHED", "interrupted": "INTERRUPTED"}
_CALLS = {one.exit_code: one for one in Action if one is not Action.HOLD}
"""The calls of the run after a rollback: nothing is held back then, and HOLD has the code of FIX_FORWARD."""


def plan_lines(plan: Plan, why: str, subject: str, *, wait_s: float) -> list[str]:
    """Format the plan that a person confirms.

    Args:
        plan: the planned rollback.
        why: the reason, in a sentence.
        subject: the verdict that it follows, with its age; "" if the deploys were given on the command line.
        wait_s: the most seconds that one service may take.
    """
    names = " and ".join(target.name for target in plan.targets)
    entries = [("ROLL BACK" if not n else "", _from_to(plan, n)) for n in range(len(plan.targets))]
    entries += [("  stays", f"{one.name}, as it is") for one in plan.stays]
    entries += [("  because", one_line(why, _MESSAGE))] if why else []
    entries += [("  by", f"the verdict {subject}")] if subject else []
    entries += [("  order", plan.why_order)] if plan.why_order else []
    entries += [
        ("  first", f"auto-deploy off on {names}{_was(plan)}; it stays off until you switch it on again"),
        ("  then", f"wait until each is live, at most {duration(wait_s)} each; verify; record it"),
    ]
    entries += [("  warning", one_line(one, _MESSAGE)) for one in plan.warnings[:_WARNINGS]]
    if (more := len(plan.warnings) - _WARNINGS) > 0:
        entries.append(("", f"and {more} more in the report"))
    return [f"{plan.environment} · rollback", *_laid_out(entries)]


def call_lines(calls: Sequence[str]) -> list[str]:
    """Format the calls of a dry run, one call a line, so that it can be copied."""
    return [
        "  would send, each after a look at the service, and none that is not needed any more:",
        *(f"    {number}. {one_line(call, _MESSAGE)}" for number, call in enumerate(calls, start=1)),
        "  Nothing was sent. Each call carries the header Authorization: Bearer and the key."
        if any(call.startswith(("PATCH ", "POST ")) for call in calls)
        else "  Nothing was sent.",
    ]


def outcome_lines(outcome: Outcome, again: str) -> list[str]:
    """Format what was done, what was not done, and the next steps.

    Args:
        outcome: the outcome of the execution.
        again: the command that finishes the rest.
    """
    back = [one for one in outcome.services if one.back]
    entries = [(_HOW[outcome.end], _headline(outcome))]
    entries += [("  done" if not n else "", _describe(one)) for n, one in enumerate(back)]
    rest = [one for one in outcome.services if not one.back]
    entries += [("  not done" if not n else "", _describe(one)) for n, one in enumerate(rest)]
    entries += [("  pushes" if not n else "", text) for n, text in enumerate(_pushes(outcome))]
    if outcome.end is not End.DONE:
        entries += [("  finish", f"{again}: it looks first, and does only what is left")]
        entries += [("  by hand", one.target.manually) for one in rest if one.target.manually]
    return _laid_out(entries)


def ending_lines(record: Record, journal: str) -> list[str]:
    """Format the steps after the rollback: verification, ledger entry, and the paths of the files."""
    entries = []
    if record.verified is not None:
        call = words.CALLS[_verified(record.verified)]
        entries.append(("  verified", f"the run after it says {call}: {record.report}"))
    recorded = f"NOT in the ledger: {record.recorded}" if record.recorded else "in the ledger"
    entries.append(("  recorded", f"{recorded}; every step in {journal}"))
    entries.append(("  next", "tell the team; fix it" + _resuming(record.outcome)))
    return _laid_out(entries)


def rollback_json(record: Record) -> str:
    """Format the record as JSON."""
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
            | {"auto_deploy": one.auto_deploy, "auto_deploy_before": one.target.auto_deploy}
            | {"resume": one.resume, "took_s": one.took_s}
            for one in record.outcome.services
        ],
        "stays": [one.name for one in record.plan.stays],
        "verified": record.verified,
        "report": record.report,
        "recorded": record.recorded,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def rollback_md(record: Record) -> str:
    """Format the record as a page for the deployment log."""
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
    verified = "not run" if record.verified is None else _verified(record.verified).replace("_", " ")
    lines += ["", f"Rollback phase: {verified}" + (f", {plain(record.report)}" if record.report else "")]
    return "\n".join(lines) + "\n"


def _verified(code: int) -> Action:
    """The call of the run after the rollback; INCONCLUSIVE if it ended without one."""
    return _CALLS.get(code, Action.INCONCLUSIVE)


def _from_to(plan: Plan, number: int) -> str:
    step = plan.targets[number].step
    place = f"{number + 1}. " if len(plan.targets) > 1 else ""
    return f"{place}{step.service} from {words.source(step)} to {words.target(step)}"


def _headline(outcome: Outcome) -> str:
    back = sum(one.back for one in outcome.services)
    if outcome.end is End.DONE:
        return f"{' and '.join(one.target.name for one in outcome.services)}, as planned"
    return f"{back} of {len(outcome.services)} services back: {inert(outcome.why)}"


def _describe(one: Progressed) -> str:
    return f"{one.target.name}: {_state(one)}"


def _state(one: Progressed) -> str:
    return one.state + (f" after {duration(one.took_s)}" if one.took_s is not None else "")


def _pushes(outcome: Outcome) -> Iterator[str]:
    texts = {
        False: "auto-deploy is off on {}",
        True: "auto-deploy is STILL ON on {}: a push is deployed by itself",
        None: "whether auto-deploy is on was not seen on {}",
    }
    for state, text in texts.items():
        names = [one.target.name for one in outcome.services if one.auto_deploy is state]
        if names:
            yield text.format(" and ".join(names))


def _was(plan: Plan) -> str:
    """What deploys automatically before the rollback, as it is to be afterwards."""
    told = [f"{one.name}: {one.auto_deploy}" for one in plan.targets if one.auto_deploy]
    return f" (now {', '.join(told)})" if told else ""


def _resuming(outcome: Outcome) -> str:
    """How auto-deploy becomes what it was; "" if this rollback did not switch it off."""
    calls = [one.resume for one in outcome.services if one.resume]
    if not calls:
        return ""
    return f"; then switch auto-deploy back to what it was, on the dashboard or by {', and '.join(calls)}"


def _laid_out(entries: Iterable[tuple[str, str]]) -> list[str]:
    found = []
    for label, text in entries:
        pieces = textwrap.wrap(one_line(text, 2_000), _WIDTH - _LABEL, break_on_hyphens=False) or [""]
        found.append(f"{label:<{_LABEL}}{pieces[0]}".rstrip())
        found += [" " * _LABEL + piece for piece in pieces[1:]]
    return found
