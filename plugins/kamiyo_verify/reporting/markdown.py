"""deployment.md: the runbook's deployment log entry, followed by its evidence."""

from __future__ import annotations

from collections.abc import Iterator

from kamiyo_verify.model.figures import counted, duration, quantity
from kamiyo_verify.model.verdict import ItemReport, SloReport, Verdict
from kamiyo_verify.model.words import Action, Phase, Status
from kamiyo_verify.reporting import summary, words
from kamiyo_verify.reporting.markup import plain

NOT_MEASURED = "not measured"


def deployment_md(verdict: Verdict) -> str:
    """Format the whole file; a field that this run does not know is "not measured", never left out."""
    return "\n".join(
        [
            f"# {plain(verdict.project)} {plain(verdict.environment)}{_place(verdict)}: deployment log entry",
            "",
            *_entry(verdict),
            "",
            f"## {words.CALLS[verdict.recommendation]}: {plain(summary.cause(verdict))}",
            "",
            *_grounds(verdict),
            "",
            "## Service level objectives",
            "",
            *_objectives(verdict),
            "",
            "## Checklist",
            *_checklist(verdict),
            "",
        ]
    )


def _place(verdict: Verdict) -> str:
    return f", from {plain(verdict.place)}" if verdict.place else ""


def _entry(verdict: Verdict) -> Iterator[str]:
    """Yield the fields that runbook.toml lists in `deployment_log`, in that order."""
    seen = verdict.deployment.seen
    fields = {
        "Date": words.moment(verdict.started_at) or NOT_MEASURED,
        "Deployer": seen.deployer or NOT_MEASURED,
        "Branch": seen.branch or NOT_MEASURED,
        "Commit": _commit(verdict),
        "Services": ", ".join(verdict.deployment.services) or NOT_MEASURED,
        "Duration": _seconds(seen.duration_s),
        "Downtime": _seconds(seen.downtime_s),
        "Issues": _issues(verdict),
        "Rollback": _rollback(verdict),
        "Notes": _notes(verdict),
    }
    for name in verdict.deployment.fields or fields:
        yield f"- **{plain(name)}:** {plain(fields.get(name, NOT_MEASURED))}"


def _commit(verdict: Verdict) -> str:
    commit = verdict.commit or _answering(verdict) or NOT_MEASURED
    previous = verdict.deployment.previous
    return f"{commit} (before it: {previous})" if previous else commit


def _seconds(seconds: float | None) -> str:
    return NOT_MEASURED if seconds is None else duration(seconds)


def _answering(verdict: Verdict) -> str:
    """Return the commits that the services report about themselves, without duplicates."""
    named = (
        str(taken.value)
        for item in verdict.items
        for taken in item.measurements
        if taken.name.endswith("_commit")
    )
    return ", ".join(dict.fromkeys(named))


def _issues(verdict: Verdict) -> str:
    failed = {item.id: words.lead(item.message)[0] for item in verdict.items if item.status is Status.FAILED}
    if failed:
        return "; ".join(f"{item}: {message}" for item, message in failed.items())
    if not verdict.count(Status.PASSED):
        return NOT_MEASURED
    unanswered = verdict.count(Status.ERROR)
    return f"{counted(unanswered, 'item')} not measured" if unanswered else "None"


def _rollback(verdict: Verdict) -> str:
    if verdict.deployment.rolled_back:
        return "Yes: recorded in the ledger"
    if verdict.recommendation is Action.ROLL_BACK:
        services = words.describe_services(verdict)
        return f"recommended ({services}): {verdict.headline}; whether it was done is not known here"
    if Phase.ROLLBACK in verdict.phase.split("+"):
        seen = verdict.phase == Phase.ROLLBACK and verdict.recommendation is Action.PROCEED
        return "Yes: the earlier version was seen to be back" if seen else NOT_MEASURED
    return "No"


def _notes(verdict: Verdict) -> str:
    tally = ", ".join(
        f"{count} {words.STATUSES[status][1]}" for status in Status if (count := verdict.count(status))
    )
    flaky = [item.title for item in verdict.items if item.flaky]
    return f"{tally or 'nothing was selected'}" + "".join(f"; flaky: {title}" for title in flaky)


def _grounds(verdict: Verdict) -> Iterator[str]:
    for reason in verdict.reasons:
        subject = f"{plain(reason.item)}: " if reason.item else ""
        clause = f" (policy: {plain(reason.clause)})" if reason.clause else ""
        yield f"- {subject}{plain(reason.message)}{clause}"
    yield f"- Do: {plain(verdict.next_step)}"
    for step in verdict.rollback.services:
        yield f"- {plain(step.service)}: {plain(step.how)}"
    for warning in verdict.rollback.warnings:
        yield f"- Warning: {plain(warning)}"
    if verdict.escalation:
        yield f"- Who acts: {plain(verdict.escalation)}"


def _objectives(verdict: Verdict) -> Iterator[str]:
    yield "| Objective | Verdict | Value | Interval | Samples |"
    yield "| --- | --- | --- | --- | ---: |"
    for report in verdict.slos:
        yield _objective(report)


def _objective(report: SloReport) -> str:
    sign, label = words.OBJECTIVES[report.verdict]
    value = "–" if report.value is None else quantity(report.value, words.objective_unit(report))
    title = f"{words.short_title(report.title)}, {words.objective(report)}"
    cells = (title, f"{sign} {label}", value, words.interval(report) or "–", f"{report.samples:,}")
    return f"| {' | '.join(map(plain, cells))} |"


def _checklist(verdict: Verdict) -> Iterator[str]:
    section = None
    for item in verdict.items:
        if item.section != section:
            section = item.section
            yield f"\n### {plain(section)}\n"
        yield _line(item)


def _line(item: ItemReport) -> str:
    box = "x" if item.status is Status.PASSED else " "
    description = "" if item.status is Status.PASSED else f" – {words.STATUSES[item.status][1]}"
    why = f": {plain(item.message)}" if item.message else ""
    return f"- [{box}] {plain(item.title)}{description}{why}"
