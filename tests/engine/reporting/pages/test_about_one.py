"""`make retrospective` and `make incident`: the facts, the blanks, and nobody's words lost."""

from __future__ import annotations

import re
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from kamiyo_verify.cli.documents.command import main
from kamiyo_verify.cli.documents.drafts import write_draft
from kamiyo_verify.judge.history.deployment_record import deployment_file
from kamiyo_verify.judge.history.deployments import deployments
from kamiyo_verify.judge.history.events import seconds_between
from kamiyo_verify.judge.history.incident import incident
from kamiyo_verify.judge.history.retrospective import retrospective
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind
from kamiyo_verify.model.result import Attempt
from kamiyo_verify.model.words import Attribution, Phase, Status
from kamiyo_verify.reporting.pages.incident import incident_md
from kamiyo_verify.reporting.pages.retrospective import retrospective_md
from tests.support.evidence_for import LIVE, LOOKS, SECRETS, SIGN_IN, blamed, result
from tests.support.hostile import ENDLESS, HOSTILE, LIVE_CHARACTERS
from tests.support.pages_project import filled_project, go_there
from tests.support.recorded_runs import moment, recorded
from tests.support.seeded_ledger import BAD, BOTH, LASTING, took

FAILED = Status.FAILED
BLANK = "**TO FILL IN**"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a filled ledger, to be copied."""
    return filled_project(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def project(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The filled project, and the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(filled, folder)
    go_there(folder, monkeypatch)
    return folder


def drafted(project: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The page that the command says it has written."""
    assert main([arguments[0], "--env", "staging", *arguments[1:]]) == 0
    return Path(capsys.readouterr().out.split(";")[0].strip()).read_text(encoding="utf-8")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


def ledger_of(project: Path) -> AbstractContextManager[Store]:
    return Store.opened(f"sqlite:///{project}/reports/ledger.db")


def part(page: str, heading: str) -> str:
    """What stands under a heading of the second rank."""
    return page.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def test_a_retrospective_tells_the_story_of_the_deployment(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = drafted(project, capsys, "retrospective", BAD[:7])
    at = [
        part(page, "Timeline").index(what)
        for what in (
            "the commit was made",
            "the deployment began, by Grace",
            "the first failing try: postdeploy.sign-in is well",
            "it was live, after 7 min",
            "roll back: authentication is broken",
            "Ada decided: rolled back: sign-in is down",
            "service was restored",
        )
    ]
    assert at == sorted(at)
    assert "/bad/report.html)" in part(page, "Timeline")
    assert "401 of 3" in part(page, "Evidence")
    assert "| API p95, below 500 ms | ✗ breached | 600 ms |" in part(page, "Evidence")
    assert "| Ada | rolled back | sign-in is down |" in part(page, "What was decided, and by whom")


def test_the_questions_have_their_facts_and_leave_the_answer_to_people(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = drafted(project, capsys, "retrospective", BAD[:7])
    questions = part(page, "Questions").split("\n### ")[1:]
    assert len(questions) == 4
    assert all(question.rstrip().endswith(f"People say: {BLANK}") for question in questions)
    for told, question in zip(
        (
            ("11 of 14 items passed", "18 min after that"),
            (
                "21 s of downtime",
                "7 min, where 4 min 39 s is usual",
                "STRIPE_WEBHOOK_SECRET",
                "15 min lay",
            ),
            ("API p95: p95 600 ms", "api-p95 is 2.88 times"),
            ("failed: postdeploy.sign-in is well; known as: The secret", "no preflight run"),
        ),
        questions,
        strict=True,
    ):
        for words in told:
            assert words in question.replace("\\", "")
    assert f"| Repair for good: postdeploy.sign-in is well | 401 of 3 | {BLANK} | {BLANK} | no |" in page


def test_an_incident_page_tells_how_bad_how_soon_and_how_long(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = drafted(project, capsys, "incident", BAD[:7])
    assert "users: something" in part(page, "Impact")
    assert "40 errors in 400 requests" in part(page, "Impact")
    assert f"how they noticed: {BLANK}" in part(page, "Impact")
    assert "| Level | From | Who | Does | Reached | Answered at, by |" in page
    for row in (
        "The first failing try |  | 6 min",
        "The call |  | 9 min",
        "Service was restored |  | 24 min",
    ):
        assert row in part(page, "Times")
    levels = part(page, "Escalation, by the clock").strip().splitlines()[2:]
    assert [level.split(" | ")[-2] for level in levels] == ["yes", "yes", "no", "yes"]
    assert "kamiyo-" in part(page, "The way back, as it was told")
    assert BLANK in part(page, "Cause")


def test_what_is_not_known_is_left_to_people(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest run that called for something is of no known commit, and nobody said what they did."""
    page = drafted(project, capsys, "incident")
    assert "by run `aside-3`" in page
    assert f"Service was restored |  | not known; {BLANK}" in page
    assert "when the deployment did is not known" in page
    levels = part(page, "Escalation, by the clock").strip().splitlines()[2:]
    assert [level.split(" | ")[-2] for level in levels] == ["yes", "not known", "not known", "not known"]
    assert "decide aside-3 rolled_back|kept|fixed --by NAME" in page


@pytest.mark.parametrize(
    ("command", "named", "told"),
    [
        ("retrospective", "", "`dddddddd"),
        ("retrospective", "bad-one", f"`{BAD}`"),
        ("retrospective", "reports/staging/bad", f"`{BAD}`"),
        ("retrospective", "aside-0", "This was a drill"),
        ("incident", "bad-one", "by run `bad-one`"),
        ("incident", "good-11", "PROCEED by run `good-11`"),
    ],
)
def test_what_is_meant_is_found(
    command: str, named: str, told: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in drafted(project, capsys, command, *filter(None, [named]))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["retrospective", "--env", "staging", "nix"],
            "no run nix; its deployments are dddddddddddd, bad0bad0",
        ),
        (["incident", "--env", "staging", "good"], "good can be any of good-0, good-1"),
        (["retrospective", "--env", "staging", "0000"], "0000 can be any of 0000000ccccc, 0000001ccccc"),
        (["retrospective", "--env", "prod"], "knows no deployment of prod yet; make postdeploy ENV=prod"),
        (["incident", "--env", "prod"], "no run that called for a rollback or a fix of prod yet"),
        (["incident", "--env", "nowhere"], "there are: prod, sandbox, staging"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_is_not_there_is_one_clear_error(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in refused(capsys, *arguments)


def test_drills_alone_give_a_page_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ledger_of(project) as ledger:
        for n in range(2):
            told = {"run": f"drill-{n}", "commit": BAD, "environment": "sandbox", "faults": ["x"]}
            ledger.add(recorded(project / f"{n}", result(LIVE, FAILED), minute=n, runbook=LASTING, **told))
    for command in ("retrospective", "incident"):
        assert main([command]) == 0
        page = Path(capsys.readouterr().out.strip()).read_text(encoding="utf-8")
        assert "**This was a drill: the platform was broken on purpose.**" in page
        assert page.count("checks began") == 1, "each drill stands for itself"


def test_an_edited_page_is_never_written_over(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def draft() -> str:
        assert main(["retrospective", "--env", "staging", BAD[:7]]) == 0
        return capsys.readouterr().out

    folder = project / "reports" / "staging"
    first = folder / "retrospective-bad0bad.md"
    draft()
    draft()
    assert [*folder.glob("retro*")] == [first], "an untouched draft is replaced"
    first.write_text(first.read_text(encoding="utf-8").replace(BLANK, "Ada", 1), encoding="utf-8")
    edited = first.read_text(encoding="utf-8")
    assert "retrospective-bad0bad.md has been edited and stays as it is" in draft()
    draft()
    assert first.read_text(encoding="utf-8") == edited
    assert {path.name for path in folder.glob("retro*")} == {first.name, "retrospective-bad0bad-2.md"}


def test_the_name_of_a_file_never_leads_elsewhere(tmp_path: Path) -> None:
    written = write_draft(tmp_path / "here", "retrospective-../../etc/x y\x00", "text\n")
    assert written.path.parent == tmp_path / "here"
    assert written.path.name == "retrospective-..-..-etc-x-y-.md"


def pages_of(project: Path, *runs: str) -> tuple[str, str]:
    """A retrospective and an incident page of the deployment with these runs."""
    with ledger_of(project) as ledger:
        found = tuple(ledger.runs(runs))
        [record] = deployments([one for one in ledger.past("staging") if one.id in runs])
    about = deployment_file("staging", record, found, ())
    back, trouble = retrospective(LASTING, about), incident(LASTING, about, found[-1])
    return (
        retrospective_md(back, dict.fromkeys(runs, "r.html"), at=moment(0)),
        incident_md(trouble, {}, at=moment(0)),
    )


def test_a_runbook_without_questions_levels_and_objectives_leaves_no_empty_part(project: Path) -> None:
    bare = LASTING.model_copy(update={"questions": (), "escalation": (), "slos": ()})
    with ledger_of(project) as ledger:
        ledger.add(recorded(project / "h", *took(3, at=0), run="h", commit="h", phases=BOTH, runbook=bare))
        found = tuple(ledger.runs(["h"]))
        [record] = deployments([one for one in ledger.past("staging") if one.id == "h"])
    about = deployment_file("staging", record, found, ())
    back = retrospective_md(retrospective(bare, about), {}, at=moment(0))
    trouble = incident_md(incident(bare, about, found[-1]), {}, at=moment(0))

    assert part(back, "Questions").strip() == (
        f"The runbook asks none. What went well, and what did not: {BLANK}"
    )
    assert part(trouble, "Escalation, by the clock").strip() == (
        f"The runbook has no levels of escalation. Who was called, and when: {BLANK}"
    )
    assert "No objective is recorded for this deployment." in part(back, "Evidence")


def test_what_a_target_said_is_inert(project: Path) -> None:
    hostile = HOSTILE.replace("\ud800", "").replace("\x00", "")
    tries = (Attempt(FAILED, hostile, moment(1), 0.1),)
    with ledger_of(project) as ledger:
        failing = result(SIGN_IN, FAILED, hostile, attempts=tries)
        deployed = took(3, at=0, who=hostile)
        told = {"run": "h", "commit": "h" + hostile, "phases": BOTH, "runbook": LASTING}
        ledger.add(recorded(project / "h", *deployed, failing, **told))
        ledger.decide(
            Decision(run="h", deed=DecisionKind.ROLLED_BACK, who=hostile, at=moment(9), note=hostile)
        )
    for page in pages_of(project, "h"):
        assert not {*LIVE_CHARACTERS} & {*page}
        html = MarkdownIt("commonmark").enable("table").render(page)
        assert "&lt;script&gt;alert(1)" in html
        known = {
            *[
                "h1",
                "h2",
                "h3",
                "p",
                "ul",
                "li",
                "strong",
                "code",
                "pre",
                "a",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
            ]
        }
        assert set(re.findall(r"<([a-z0-9]+)", html)) <= known
        assert set(re.findall(r'href="([^"]*)"', html)) <= {"r.html"}
        rows = [row.count("<td") for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL) if "<td" in row]
        assert set(rows) <= {3, 4, 6}, "no text breaks out of its cell"


def test_an_endless_text_is_bounded(project: Path) -> None:
    with ledger_of(project) as ledger:
        told = {"run": "e", "commit": "e" * 7, "runbook": LASTING}
        ledger.add(recorded(project / "e", result(SIGN_IN, FAILED, ENDLESS), **told))
        ledger.decide(Decision(run="e", deed=DecisionKind.KEPT, who=ENDLESS, at=moment(9), note=ENDLESS))
    for page in pages_of(project, "e"):
        assert len(page) < 20_000


def test_several_runs_of_one_deployment_are_one_story(project: Path) -> None:
    tries = (Attempt(FAILED, "502", moment(1), 0.1), Attempt(Status.PASSED, "", moment(2), 0.1))
    common = {"commit": "feed" * 10, "runbook": LASTING}
    with ledger_of(project) as ledger:
        ledger.add(recorded(project / "1", run="s1", minute=0, **common))
        third = blamed(LOOKS, Attribution.THIRD_PARTY)
        ledger.add(recorded(project / "2", result(LIVE, FAILED), third, run="s2", minute=9, **common))
        flaky = result(LIVE, attempts=tries)
        ledger.add(recorded(project / "3", flaky, run="s3", minute=20, **common))
    back, trouble = pages_of(project, "s1", "s2", "s3")
    for told in (
        "postdeploy.websocket is well: passed at first, and failed later",
        "postdeploy.looks is well: was caused by a third party",
        "flaky, passed on another try: postdeploy.websocket is well",
        "nobody has recorded what was done about the call",
        "Find out why it is flaky: postdeploy.websocket is well",
    ):
        assert told in back
    assert "; a later run saw it pass" in part(trouble, "Evidence")
    assert "service was restored" in part(trouble, "Timeline")


def test_the_preflight_of_the_commit_belongs_to_the_story(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ledger_of(project) as ledger:
        bad = result(SECRETS, FAILED, "a key lies open")
        told = {"phases": (Phase.PREFLIGHT,), "commit": BAD, "runbook": LASTING, "run": "pre"}
        ledger.add(recorded(project / "pre", bad, minute=0, **told))
    page = drafted(project, capsys, "retrospective", BAD[:7])
    assert "the preflight said hold" in page
    assert "a key lies open" in page


def test_a_deployment_that_is_looked_at_for_ever_is_bounded(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ledger_of(project) as ledger:
        one = {"commit": "f" * 40, "runbook": LASTING, "environment": "staging"}
        for n in range(50):
            ledger.add(recorded(project / "f", run=f"f{n:02}", minute=30_000 + n, **one))
    page = drafted(project, capsys, "retrospective", "ffff")
    assert "and 42 earlier ones" in page
    assert "further moments" in page
    assert len(page.splitlines()) < 200


def test_no_secret_is_in_a_page(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGING_API_KEY", "km_CaNaRy7Q81f22")
    monkeypatch.setenv("KAMIYO_API_KEY", "km_CaNaRy7Q81f22")
    with ledger_of(project) as ledger:
        note = "with km_CaNaRy7Q81f22 and sk_live_CaNaRy1234"
        ledger.decide(
            Decision(run="bad-one", deed=DecisionKind.ROLLED_BACK, who="Ada", at=moment(90_000), note=note)
        )
    for command in ("retrospective", "incident"):
        page = drafted(project, capsys, command, BAD[:7])
        assert "CaNaRy" not in page
        assert "sk_live_***" in page.replace("\\", "")


@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [(moment(0), moment(2), 120), (moment(2), moment(0), None), ("", moment(0), None), (moment(0), "", None)],
)
def test_time_between_moments(earlier: str, later: str, seconds: float | None) -> None:
    assert seconds_between(earlier, later) == seconds
