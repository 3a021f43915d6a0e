"""What a channel is told: all in the first line, inert everywhere, and within its limits."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamiyo_verify.config.announcement_templates import unfillable
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.notifications import Moment
from kamiyo_verify.model.runbook import Announcement, Runbook
from kamiyo_verify.model.services import Services
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Phase, Status
from kamiyo_verify.notifications.announcements import (
    Deployment,
    inert_everywhere,
    outcome,
    start,
)
from kamiyo_verify.notifications.channel_process import LONGEST, bounded
from tests.support.evidence_for import RUNBOOK, SIGN_IN, evidence, result
from tests.support.hostile import HOSTILE, LIVE_CHARACTERS
from tests.support.toy_project import ROOT

OURS = load_runbook(ROOT / "runbook.toml")
HERE = Deployment(
    project="Kamiyo",
    environment="prod",
    phases=(Phase.DEPLOY, Phase.POSTDEPLOY),
    commit="9c41d07" + "0" * 33,
    branch="main",
    who="ada",
    urls={"api": "https://api.kamiyo.ai", "frontend": "https://kamiyo.ai"},
    report="https://ci.example/runs/7",
)


def verdict(*statuses: tuple[str, Status, str]) -> Verdict:
    results = (result(item, status, message) for item, status, message in statuses)
    return decide(
        evidence(*results, environment="prod", project="Kamiyo", commit="9c41d07", deploy_minutes=7)
    )


GOOD = replace(
    decide(evidence(environment="prod", commit="9c41d07")), recommendation=Action.PROCEED, exit_code=0
)
BAD = verdict((SIGN_IN, Status.FAILED, "3 of 3 sign-ins were refused"))


def test_a_beginning_says_what_where_and_by_whom() -> None:
    told = start(OURS, HERE)

    assert told.title == "[DEPLOYMENT] Kamiyo prod: commit 9c41d07 is being deployed"
    assert told.lines[:3] == ("- services: kamiyo-api and kamiyo-frontend", "- branch: main", "- by: ada")
    assert told.moment is Moment.START
    assert told.lines[3] == "- expected: 10 to 15 minutes, with 2 to 3 minutes of downtime"
    verifies = start(OURS, replace(HERE, phases=(Phase.POSTDEPLOY,)))
    assert verifies.title.endswith("is being verified")
    assert not any("downtime" in line for line in verifies.lines)


def test_what_is_not_known_is_left_out() -> None:
    told = start(OURS, Deployment(project="Kamiyo", environment="prod"))

    assert told.title == "[DEPLOYMENT] Kamiyo prod: commit unknown is being verified"
    assert not any("branch" in line or "by:" in line for line in told.lines)


def test_a_success_says_where_to_look() -> None:
    told = outcome(OURS, HERE, GOOD)

    assert told.moment is Moment.SUCCESS
    assert told.title == "[DEPLOYMENT] ✓ Kamiyo prod: commit 9c41d07 is live and verified"
    assert "- API: https://api.kamiyo.ai/health" in told.lines
    assert "- took: 1 min 4 s" in told.lines
    assert told.more == "https://ci.example/runs/7"


@pytest.mark.parametrize("runbook", [OURS, RUNBOOK], ids=["ours", "one that says nothing"])
def test_a_failure_says_it_all_in_its_first_line(runbook: Runbook) -> None:
    told = outcome(runbook, HERE, BAD)

    assert told.moment is Moment.FAILURE
    assert told.title.startswith("[DEPLOYMENT] ✗ ROLL BACK: Kamiyo prod, commit 9c41d07: ")
    assert BAD.headline[:40] in told.title
    assert any(line.startswith(f"- because: {SIGN_IN}: 3 of 3 sign-ins") for line in told.lines)
    assert any(line.startswith("- take back: kamiyo-frontend to its last good deploy") for line in told.lines)
    assert any(line.startswith("- do: ") for line in told.lines)


@pytest.mark.parametrize("code", [2, 3, 30])
def test_a_process_that_fails_is_never_told_as_a_success(code: int) -> None:
    assert outcome(OURS, HERE, replace(GOOD, exit_code=code)).moment is Moment.FAILURE


@pytest.mark.parametrize("call", [Action.HOLD, Action.FIX_FORWARD, Action.ROLL_BACK, Action.INCONCLUSIVE])
def test_every_call_but_proceed_is_a_failure(call: Action) -> None:
    assert outcome(OURS, HERE, replace(GOOD, recommendation=call)).moment is Moment.FAILURE


PINGS = (
    "@everyone @here <!channel> <!here> <@U123> <@&456> <#C1> <https://evil.example|here> [x](https://evil.example)"
    " **bold** _it_ ~~no~~ ||spoiler|| `code` ```block``` # head <b>x</b> &lt;b&gt; \\* :boom: {project} {0}"
)


def test_nothing_that_came_from_outside_is_live() -> None:
    bad = verdict((SIGN_IN, Status.FAILED, PINGS + HOSTILE))
    told = outcome(
        OURS, replace(HERE, who=PINGS, branch=PINGS), replace(bad, headline=PINGS, next_step=PINGS)
    )
    text = "\n".join([told.title, *told.lines])
    for url in HERE.urls.values():
        text = text.replace(url, "")

    assert "everyone" in text
    own = {"[": text.count("[DEPLOYMENT]"), "]": text.count("[DEPLOYMENT]")}
    for live in "@<>`*~|[]\\&#":
        assert text.count(live) == own.get(live, 0), live
    assert "://" not in text
    assert "_it_" not in text
    assert not set(LIVE_CHARACTERS) & set(text)


def test_plain_words_stay_as_they_are() -> None:
    plain = "performance.api-response-time: p95 612 ms of 500 (response_times), make rollback ENV=prod"
    assert inert_everywhere(plain) == plain
    assert inert_everywhere("see https://api.kamiyo.ai/health") == "see api.kamiyo.ai/health"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{commit} {nonsense}", 'nothing is known as "{nonsense}"; there are: api_url'),
        ("{commit.__class__}", "nothing is known as"),
        ("{commit!r}", "nothing is known as"),
        ("{commit:>99999999}", "nothing is known as"),
        ("{", "is no template"),
        ("{}", "nothing is known as"),
        ("{call}", "nothing is known as"),
        (" ", "must not be empty"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(text: str, says: str) -> None:
    assert says in unfillable(Announcement(id=Moment.START, when="x", text=text), ["api", "frontend"])


@pytest.mark.parametrize("text", ["{api_url}", "{social-watcher_url} and {urls}", "{commit}{{}}"])
def test_a_template_may_name_the_address_of_each_service(text: str) -> None:
    row = Announcement(id=Moment.START, when="x", text=text)
    assert unfillable(row, OURS.services.names) == ""


SHOP = {"web": "https://shop.example", "checkout-api": "https://pay.shop.example"}


def test_another_team_has_other_services_than_ours() -> None:
    text = "[D] {services}\n- {checkout-api_url}\n- all: {urls}\n- worker: {worker_url}"
    names = Services(names={"web": "the shop", "checkout-api": "the till", "worker": "the worker"})
    row = Announcement(id=Moment.START, when="x", text=text)
    theirs = RUNBOOK.model_copy(update={"announcements": (row,), "services": names})
    here = replace(HERE, urls=SHOP)

    assert start(theirs, here).title == "[D] the shop and the till"
    assert start(theirs, here).lines == (
        "- https://pay.shop.example",
        "- all: https://shop.example and https://pay.shop.example",
    )
    assert "API" not in "".join(start(RUNBOOK, here).lines)
    ours = outcome(OURS, here, GOOD)
    assert not any("website" in line or "API" in line for line in ours.lines), "it has no such services"


LINES = st.lists(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=300), min_size=1, max_size=8
)


@given(
    LINES,
    LINES,
    st.text("abc/", max_size=80),
    st.sampled_from([0, 1, 20, 250]),
    st.integers(1, 3000),
    st.integers(0, 6),
)
def test_no_limit_is_ever_exceeded(
    title: list[str], lines: list[str], more: str, title_most: int, body_most: int, lines_most: int
) -> None:
    head, body = bounded(
        title[0], lines, more, title_most=title_most, body_most=body_most, lines_most=lines_most
    )

    assert len(head) <= title_most
    assert 0 < len(body) <= min(body_most, LONGEST)
    assert len(head) + len(body) <= max(body_most, len(head) + 1)
    assert not lines_most or body.count("\n") < lines_most + 1


def test_what_does_not_fit_says_where_the_rest_is() -> None:
    lines = [f"- line {n} " + "x" * 60 for n in range(40)]
    title, body = bounded("It failed", lines, "https://ci.example/7", title_most=250, body_most=2000)
    assert title == "It failed"
    assert body.startswith(lines[0])
    assert body.endswith("\n… see the report: https://ci.example/7")

    title, body = bounded("It failed", lines, "https://ci.example/7", title_most=0, body_most=160)
    assert not title
    assert body.startswith("It failed\n- line 0")
    assert body.endswith("\n… see the report: https://ci.example/7")

    assert bounded("It", ["- a"], "r", title_most=0, body_most=160) == ("", "It\n- a\nReport: r")
    assert bounded("It", ["- a"], "", title_most=9, body_most=160) == ("It", "- a")


@pytest.mark.parametrize(
    ("address", "title_most", "body_most"),
    [
        # Discord's content takes 2,000 characters, and Apprise puts the title there too.
        ("discord://123456789012345678/abcdefghijklmnopqrstuvwxyz", 250, 2000),
        ("slack://TTTTTTTTT/BBBBBBBBB/abcdefghijklmnopqrstuvwx", 250, 35000),
        ("rocket://user:pass@localhost/#c", 0, 1000),
    ],
)
def test_the_limits_are_those_that_the_services_tell(address: str, title_most: int, body_most: int) -> None:
    with warnings.catch_warnings(action="ignore"):  # of Apprise's own making
        import apprise  # noqa: PLC0415

        channel = apprise.Apprise.instantiate(address)
    assert isinstance(channel, apprise.NotifyBase)
    assert (channel.title_maxlen, channel.body_maxlen) == (title_most, body_most)
    title, body = bounded(
        "T" * 300, ["x" * 5000], "r", title_most=channel.title_maxlen, body_most=channel.body_maxlen
    )
    assert len(f"{title}\r\n{body}" if title else body) <= body_most


def test_a_run_does_not_import_apprise() -> None:
    modules = "kamiyo_verify.hooks.verification, kamiyo_verify.cli.notify"
    code = f"import {modules}, sys; print('apprise' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "False\n"
