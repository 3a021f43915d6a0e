"""Announcements of the runbook: short messages about a run for a team's channels.

Channels use different markup, so external text is made inert for all of them: characters that mention, link
or format are replaced by look-alikes without a function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter

from kamiyo_verify.model.figures import counted, duration, listed
from kamiyo_verify.model.notifications import OF_A_DEPLOYMENT, OF_A_VERDICT, Message, Moment, url_field
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Phase, Status
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.inert import one_line

UNKNOWN = "unknown"

_LINE = 240
_NAMED = 3

_DEFAULTS = {
    Moment.START: "[DEPLOYMENT] {project} {environment}: commit {commit} {doing}\n- by: {who}",
    Moment.SUCCESS: "[DEPLOYMENT] ✓ {project} {environment}: commit {commit} is verified\n- issues: {issues}",
    Moment.FAILURE: "[DEPLOYMENT] ✗ {call}: {project} {environment}, commit {commit}: {headline}\n"
    "- take back: {rollback}\n- because: {because}\n- do: {next_step}\n- who: {escalation}",
}

# Mentions (Discord, Slack, Mattermost, Telegram), HTML, Markdown's emphasis, code, links, images and tables.
_LOOK_ALIKES = str.maketrans("@<>`*~|[]#\\&", "＠‹›ˋ∗∼¦［］＃＼＆")
_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*:/{1,3}", re.IGNORECASE)
_OPEN_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a run knows about the deployment before it has a verdict; "" if unknown.

    Attributes:
        report: a link to the report, or its path.
        who: the person who started the deployment.
        urls: the address of each service that answers requests, by its name.
    """

    project: str
    environment: str
    phases: tuple[Phase, ...] = ()
    commit: str = ""
    branch: str = ""
    who: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    report: str = ""


def start(runbook: Runbook, deployment: Deployment) -> Message:
    """Announce that a deployment, or its verification, begins."""
    return _message(runbook, Moment.START, _known(runbook, deployment), "")


def outcome(runbook: Runbook, deployment: Deployment, verdict: Verdict) -> Message:
    """Announce the result: success for "proceed", failure for every other recommendation."""
    moment = moment_of(verdict)
    fields = {**_known(runbook, deployment), **_found(deployment, verdict)}
    return _message(runbook, moment, fields, deployment.report)


def trial(deployment: Deployment, now: str) -> Message:
    """Build a test message that shows whether a channel works."""
    title = (
        f"[TEST] {inert_everywhere(deployment.project)} {deployment.environment}: notifications arrive here"
    )
    return Message(Moment.START, title, ("- nothing is being deployed", f"- sent {now}"))


def moment_of(verdict: Verdict) -> Moment:
    """Classify a verdict as success or failure; a non-zero exit code is never a success."""
    good = verdict.recommendation is Action.PROCEED and verdict.exit_code == 0
    return Moment.SUCCESS if good else Moment.FAILURE


def inert_everywhere(text: str, limit: int = _LINE) -> str:
    """Return one line that mentions nobody, contains no link and formats nothing in any channel."""
    plain = _SCHEME.sub("", one_line(text, limit)).translate(_LOOK_ALIKES)
    return _OPEN_UNDERSCORE.sub("＿", plain)


def _message(runbook: Runbook, moment: Moment, fields: Mapping[str, str], more: str) -> Message:
    template = next((row.text for row in runbook.announcements if row.id is moment), _DEFAULTS[moment])
    title, *lines = (line for line in template.strip().splitlines() if line.strip())
    return Message(moment, title.format_map(fields), tuple(_filled(lines, fields)), more)


def _filled(lines: list[str], fields: Mapping[str, str]) -> Iterator[str]:
    """Fill each line; drop lines whose fields are all unknown."""
    for line in lines:
        asked = [name for _, name, _, _ in Formatter().parse(line) if name]
        if not asked or any(fields[name] not in {"", UNKNOWN} for name in asked):
            yield line.format_map(fields).rstrip()


def _known(runbook: Runbook, deployment: Deployment) -> dict[str, str]:
    urls = deployment.urls
    deploys = Phase.DEPLOY in deployment.phases
    known = (
        inert_everywhere(deployment.project),
        deployment.environment,
        inert_everywhere(listed(map(runbook.services.name, urls))) or UNKNOWN,
        "is being deployed" if deploys else "is being verified",
        "expected" if deploys else "",
        inert_everywhere(deployment.commit[:7]) or UNKNOWN,
        inert_everywhere(deployment.branch, 80) or UNKNOWN,
        inert_everywhere(deployment.who, 80) or UNKNOWN,
        # From the environment's own file; these links are meant to be opened.
        listed(urls.values()),
    )
    of_services = {url_field(name): urls.get(name, "") for name in (*runbook.services.names, *urls)}
    return {**of_services, **dict(zip(OF_A_DEPLOYMENT, known, strict=True))}


def _found(deployment: Deployment, verdict: Verdict) -> dict[str, str]:
    seen = verdict.deployment.seen
    taken = seen.duration_s or words.seconds_taken(verdict)
    commit = verdict.commit or seen.commit or deployment.commit
    values = (
        words.CALLS[verdict.recommendation],
        verdict.headline,
        _because(verdict),
        verdict.next_step,
        words.describe_services(verdict),
        verdict.escalation,
        _issues(verdict),
        duration(taken) if taken else "",
    )
    found = {name: inert_everywhere(text) for name, text in zip(OF_A_VERDICT, values, strict=True)}
    found["commit"] = inert_everywhere(commit[:7]) or UNKNOWN
    for name, of_run in (("branch", seen.branch), ("who", seen.deployer)):
        if of_run:
            found[name] = inert_everywhere(of_run, 80)
    return found


def _because(verdict: Verdict) -> str:
    """Return the first reason in full, and the number of the others."""
    grounds = words.by_clause(verdict.reasons)
    if not grounds:
        return ""
    first = grounds[0][0]
    item = f"{first.item}: " if first.item else ""
    more = f"; and {counted(len(grounds) - 1, 'more reason')}" if len(grounds) > 1 else ""
    return f"{item}{one_line(first.message, 180)}{more}"


def _issues(verdict: Verdict) -> str:
    """List problems that did not change the recommendation; unverified items are only counted."""
    unwell = [item.title for item in words.unwell(verdict)]
    more = len(unwell) - _NAMED
    named = "; ".join(unwell[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    unverified = verdict.count(Status.UNVERIFIED)
    aside = f" ({counted(unverified, 'item')} not verified)" if unverified else ""
    return (named or "none") + aside
