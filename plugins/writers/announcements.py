"""The runbook's announcements: a run told to a team's channel, for somebody at three in the morning.

Channels differ in what they take for markup, so a text that came from outside is made inert for all of them
at once: signs that mention, link or format are replaced by look-alikes that do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter

from plugins.model.figures import counted, duration
from plugins.model.notifications import Message, Moment
from plugins.model.runbook import Announcement, Runbook
from plugins.model.verdict import Verdict
from plugins.model.words import Action, Phase, Status
from plugins.writers import words
from plugins.writers.inert import one_line

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
    """What a run knows of the deployment before it has a verdict. What is not known is "".

    Attributes:
        report: a link to the report, or its path.
        who: began it.
    """

    project: str
    environment: str
    phases: tuple[Phase, ...] = ()
    commit: str = ""
    branch: str = ""
    who: str = ""
    api_url: str = ""
    frontend_url: str = ""
    report: str = ""


def start(runbook: Runbook, deployment: Deployment) -> Message:
    """A deployment, or its verification, begins."""
    return _message(runbook, Moment.START, _known(deployment), "")


def outcome(runbook: Runbook, deployment: Deployment, verdict: Verdict) -> Message:
    """What came of it: success for "proceed", failure for every other call."""
    moment = moment_of(verdict)
    return _message(runbook, moment, {**_known(deployment), **_found(deployment, verdict)}, deployment.report)


def trial(deployment: Deployment, now: str) -> Message:
    """Shows that a channel works, and means nothing else."""
    title = (
        f"[TEST] {inert_everywhere(deployment.project)} {deployment.environment}: notifications arrive here"
    )
    return Message(Moment.START, title, ("- nothing is being deployed", f"- sent {now}"))


def moment_of(verdict: Verdict) -> Moment:
    """Which moment a verdict is. A process that ends with an error is no success, whatever the call."""
    good = verdict.recommendation is Action.PROCEED and verdict.exit_code == 0
    return Moment.SUCCESS if good else Moment.FAILURE


def unfillable(row: Announcement) -> str:
    """What of a template nothing can be put into, and what could be; "" where all is well."""
    try:
        fields = [field for field in Formatter().parse(row.text) if field[1] is not None]
    except ValueError as error:
        return f"is no template: {error}; write {{{{ for a brace"
    allowed = set(_known(Deployment(project="", environment="")))
    if row.id is not Moment.START:
        allowed |= set(_OF_A_VERDICT)
    for _, name, form, conversion in fields:
        if name not in allowed or form or conversion:
            return f'nothing is known as "{{{name}}}"; there are: {", ".join(sorted(allowed))}'
    return "" if row.text.strip() else "must not be empty"


def inert_everywhere(text: str, limit: int = _LINE) -> str:
    """One line that mentions nobody, links nowhere and formats nothing, in any channel."""
    plain = _SCHEME.sub("", one_line(text, limit)).translate(_LOOK_ALIKES)
    return _OPEN_UNDERSCORE.sub("＿", plain)


def _message(runbook: Runbook, moment: Moment, fields: Mapping[str, str], more: str) -> Message:
    template = next((row.text for row in runbook.announcements if row.id is moment), _DEFAULTS[moment])
    title, *lines = (line for line in template.strip().splitlines() if line.strip())
    return Message(moment, title.format_map(fields), tuple(_filled(lines, fields)), more)


def _filled(lines: list[str], fields: Mapping[str, str]) -> Iterator[str]:
    """Each line with what is known; one that asks for nothing else than what is not known is left out."""
    for line in lines:
        asked = [name for _, name, _, _ in Formatter().parse(line) if name]
        if not asked or any(fields[name] not in {"", UNKNOWN} for name in asked):
            yield line.format_map(fields).rstrip()


def _known(deployment: Deployment) -> dict[str, str]:
    deploys = Phase.DEPLOY in deployment.phases
    return {
        "project": inert_everywhere(deployment.project),
        "environment": deployment.environment,
        "services": "API and frontend",
        "doing": "is being deployed" if deploys else "is being verified",
        "expected": "expected" if deploys else "",
        "commit": inert_everywhere(deployment.commit[:7]) or UNKNOWN,
        "branch": inert_everywhere(deployment.branch, 80) or UNKNOWN,
        "who": inert_everywhere(deployment.who, 80) or UNKNOWN,
        # Of the environment's own file, and meant to be opened.
        "api_url": deployment.api_url,
        "frontend_url": deployment.frontend_url,
    }


_OF_A_VERDICT = (
    *("call", "headline", "because", "next_step", "rollback", "escalation", "issues", "duration"),
)


def _found(deployment: Deployment, verdict: Verdict) -> dict[str, str]:
    seen = verdict.deployment.seen
    taken = seen.duration_s or words.seconds_taken(verdict)
    commit = verdict.commit or seen.commit or deployment.commit
    told = (
        words.CALLS[verdict.recommendation],
        verdict.headline,
        _because(verdict),
        verdict.next_step,
        words.services_told(verdict),
        verdict.escalation,
        _issues(verdict),
        duration(taken) if taken else "",
    )
    found = {name: inert_everywhere(text) for name, text in zip(_OF_A_VERDICT, told, strict=True)}
    found["commit"] = inert_everywhere(commit[:7]) or UNKNOWN
    for name, of_run in (("branch", seen.branch), ("who", seen.deployer)):
        if of_run:
            found[name] = inert_everywhere(of_run, 80)
    return found


def _because(verdict: Verdict) -> str:
    """The first ground in full, the others by number."""
    grounds = words.by_clause(verdict.reasons)
    if not grounds:
        return ""
    first = grounds[0][0]
    item = f"{first.item}: " if first.item else ""
    more = f"; and {counted(len(grounds) - 1, 'more reason')}" if len(grounds) > 1 else ""
    return f"{item}{one_line(first.message, 180)}{more}"


def _issues(verdict: Verdict) -> str:
    """What is wrong and did not change the call; what was not verified is none, and is told beside it."""
    unwell = [item.title for item in words.unwell(verdict)]
    more = len(unwell) - _NAMED
    named = "; ".join(unwell[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    unverified = verdict.count(Status.UNVERIFIED)
    aside = f" ({counted(unverified, 'item')} not verified)" if unverified else ""
    return (named or "none") + aside
