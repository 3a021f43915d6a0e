"""`make history`: what is on the page, what never is, and what a ledger that is away or damaged does."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from kamiyo_verify.cli.documents.command import main
from kamiyo_verify.cli.openslo import exported
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.words import Phase, Status
from kamiyo_verify.reporting.pages.history import index_html
from tests.support import recorded_runs
from tests.support.evidence_for import COMMIT, SIGN_IN, result
from tests.support.hostile import HOSTILE, LIVE_CHARACTERS
from tests.support.pages_project import ROOT, empty_project, filled_project, go_there
from tests.support.postgres_server import postgres
from tests.support.recorded_runs import moment, recorded
from tests.support.seeded_ledger import BAD, LASTING

VOID = {"meta", "br"}
SVG = {"svg", "title", "desc", "g", "path", "circle", "text"}


class Page(HTMLParser):
    """The elements and the text of a page; markup that does not balance is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, attribute: str) -> list[str]:
        return [value for name, value in self.attributes if name == attribute]


@pytest.fixture(scope="module", autouse=True)
def lately() -> Iterator[None]:
    """The deployments were in the last two weeks, whatever day it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorded_runs, "EPOCH", datetime.now(UTC) - timedelta(days=14))
        yield


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, lately: None) -> Path:
    """A project with a filled ledger."""
    return filled_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without runs, and the current folder."""
    folder = empty_project(tmp_path / "project")
    go_there(folder, monkeypatch)
    return folder


@pytest.fixture
def shown(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The page of the filled ledger."""
    go_there(seeded, monkeypatch)
    return _page(seeded, "history")


def _page(folder: Path, *arguments: str) -> Page:
    assert main([*arguments]) == 0
    return Page((folder / "reports" / "index.html").read_text(encoding="utf-8"))


def _ledger(folder: Path) -> str:
    return f"sqlite:///{folder}/reports/ledger.db"


def test_a_deployment_shows_what_was_said_and_what_people_did(shown: Page) -> None:
    row = shown.text[shown.text.index(BAD[:9]) :]
    row = row[:600]
    for told in (
        "ROLL BACK",
        "rolled back",
        "7 min",
        "21 s",
        "600 ms (not below the objective)",
        "10 % (not below the objective)",
        "×2.88",
        "authentication is broken",
        "rolled back by Ada",
        "sign-in is down",
    ):
        assert told in row


def test_the_numbers_of_all_of_them_come_first(shown: Page) -> None:
    first = shown.text[: shown.text.index("The newest first")]
    for told in (
        "14 deployments in sqlite:///",
        "Share of deployments that succeed, above 95 %",
        "92.9 %",
        "79 more in a row without a bad one would show it",
        "1 failed of 14 deployments",
        "Error budget left",
        "Downtime of deployments: 21 s",
        "Deployment frequency 1.1",
        "Change failure rate 7.1 % (1 of 14)",
        "Recovery from a failed deployment 24 min",
        "How fast the error budget burns",
        "Duration of the deployment",
        "API response time, 95th percentile",
        "objective 500 ms",
    ):
        assert told in first


def test_what_does_not_count_is_shown_apart_with_its_reason(shown: Page) -> None:
    aside = shown.text[shown.text.index("Runs that are of no deployment") :]
    for why in (
        "a drill: the platform was broken on purpose",
        "a baseline",
        "cut short",
        "of no known commit",
    ):
        assert why in aside


def test_each_row_leads_to_its_report_where_that_is_still_there(shown: Page, seeded: Path) -> None:
    targets = [target for target in shown.all("href") if not target.startswith("#")]
    assert len(targets) == 13 + 4, "all but the one whose folder is gone"
    assert all((seeded / "reports" / unquote(target)).is_file() for target in targets)
    assert "(its report is not here)" in shown.text


def test_a_folder_that_another_run_has_used_is_not_its_report(project: Path) -> None:
    with Store.opened(_ledger(project)) as store:
        for run in ("first", "second"):
            store.add(recorded(project / "same", run=run, commit=f"{run:a<7}", runbook=LASTING))
    (project / "same" / "report.html").touch()
    assert _page(project, "history").all("href").count("../same/report.html") == 1


def test_a_report_that_was_brought_here_is_found(project: Path) -> None:
    with Store.opened(_ledger(project)) as store:
        store.add(recorded(project / "on-ci" / "a b(1)", commit=BAD, runbook=LASTING))
    here = project / "reports" / "staging" / "a b(1)"
    shutil.move(project / "on-ci" / "a b(1)", here)
    (here / "report.html").touch()
    assert "staging/a%20b%281%29/report.html" in _page(project, "history").all("href")


def test_nothing_is_live_and_nothing_comes_from_outside(shown: Page, seeded: Path) -> None:
    source = (seeded / "reports" / "index.html").read_text(encoding="utf-8")
    assert not shown.tags & {"script", "img", "iframe", "object", "link", "form"}
    assert "default-src 'none'" in source
    assert not re.search(r"url\(|@import|https?://", source)
    assert not [name for name, _ in shown.attributes if name.startswith("on")]
    for query in ("prefers-color-scheme: dark", "max-width", "@media print"):
        assert query in source


def test_hostile_texts_are_shown_and_do_nothing(project: Path) -> None:
    hostile = HOSTILE.replace("\ud800", "").replace("\x00", "")  # which no database takes
    commits = (Measurement("api_commit", hostile), Measurement("frontend_commit", hostile))
    with Store.opened(_ledger(project)) as store:
        told = (result(COMMIT, measurements=commits), result(SIGN_IN, Status.FAILED, hostile))
        store.add(recorded(project / "r", *told, environment="staging", runbook=LASTING))
        store.decide(Decision(run="run-1", deed=DecisionKind.KEPT, who=hostile, at=moment(2), note=hostile))
        store.add(recorded(project / "e", run="other", environment=hostile, runbook=LASTING))
    page = _page(project, "history")
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert not page.tags & {"script", "img"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not {*LIVE_CHARACTERS} & {*page.text}
    assert len((project / "reports" / "index.html").read_bytes()) < 100_000


def test_no_secret_that_somebody_wrote_down_is_shown(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAMIYO_API_KEY", "km_CaNaRy7Q81f22")
    with Store.opened(_ledger(project)) as store:
        store.add(recorded(project / "r", commit=BAD, runbook=LASTING))
        note = "the key was km_CaNaRy7Q81f22 and whsec_CaNaRyabcdef12"
        store.decide(Decision(run="run-1", deed=DecisionKind.KEPT, who="Ada", at=moment(2), note=note))
    page = _page(project, "history")
    assert "CaNaRy" not in page.text
    assert "the key was [KAMIYO_API_KEY] and whsec_***" in page.text


def test_thousands_of_deployments_are_written_at_once_and_shown_in_part(project: Path) -> None:
    with Store.opened(_ledger(project)) as store:
        store.add(recorded(project / "r", commit=BAD, runbook=LASTING, run="n"))
    _multiply(project / "reports" / "ledger.db", 2000)
    began = time.process_time()
    page = _page(project, "history")
    assert time.process_time() - began < 10, "seconds of CPU; it takes about one"
    assert "2,000 deployments in" in page.text
    assert "1,900 earlier deployments not shown: make history ARGS='--last 2000'" in page.text
    assert page.text.count("PROCEED") + page.text.count("ROLL BACK") == 100
    assert (project / "reports" / "index.html").stat().st_size < 300_000
    assert _page(project, "history", "--last", "3").text.count("its report is not here") == 3


def _multiply(ledger: Path, times: int) -> None:
    """Make of the one run in it many deployments."""
    with sqlite3.connect(ledger) as connection:
        for table in ("runs", "deployments"):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            of = {"id": "'n' || n", "run_id": "'n' || n", "commit_sha": "printf('%07x', n) || commit_sha"}
            values = ", ".join(of.get(name, name) for name in names)
            copied = f"SELECT {values} FROM {table}, c"  # noqa: S608 - the names of our own columns
            numbers = "WITH RECURSIVE c(n) AS (VALUES (2) UNION ALL SELECT n + 1 FROM c WHERE n < ?)"
            connection.execute(f"{numbers} INSERT INTO {table} {copied}", (times,))
    connection.close()


def test_a_run_before_a_deployment_is_none(project: Path) -> None:
    with Store.opened(_ledger(project)) as store:
        for n, commit in enumerate((BAD, "")):
            told = {"run": f"r{n}", "commit": commit, "phases": (Phase.PREFLIGHT,), "runbook": LASTING}
            store.add(recorded(project / f"{n}", **told))
    assert _page(project, "history").text.count("before a deployment") == 2


def test_a_commit_that_many_share_is_one_row(project: Path) -> None:
    with Store.opened(_ledger(project)) as store:
        for n in range(9):
            store.add(recorded(project / f"{n}", run=f"r{n}", minute=n, commit=BAD, runbook=LASTING))
    page = _page(project, "history")
    assert "1 deployment in" in page.text
    assert "and 3 earlier runs" in page.text


def test_every_environment_has_its_section_unless_one_is_asked_for(project: Path) -> None:
    with Store.opened(_ledger(project)) as store:
        for name in ("staging", "prod", "gone"):
            told = {"run": name, "environment": name, "commit": BAD}
            store.add(recorded(project / "reports" / name / "1", runbook=LASTING, **told))
    both = _page(project, "history")
    assert [name for name in both.all("id") if name.startswith("environment-")] == [
        "environment-1",
        "environment-2",
        "environment-3",
    ]
    one = _page(project, "history", "--env", "prod")
    assert [name for name in one.all("id") if name.startswith("environment-")] == ["environment-1"]
    assert "staging" not in one.text


def test_each_ledger_is_looked_at(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_LEDGER_URL", f"sqlite:///{project}/staging.db")
    for url, name in ((_ledger(project), "prod"), (f"sqlite:///{project}/staging.db", "staging")):
        with Store.opened(url) as store:
            store.add(recorded(project / name, run=name, environment=name, commit=BAD, runbook=LASTING))
    text = _page(project, "history").text
    assert "1 deployment in sqlite:///" in text
    assert "1 deployment in [STAGING_LEDGER_URL]" in text, "a variable's value is not shown"


def test_an_environment_with_objectives_of_its_own_is_held_to_them(project: Path) -> None:
    with Store.opened(_ledger(project)) as store:
        for name in ("prod", "staging"):
            told = {"run": name, "environment": name, "commit": BAD}
            store.add(recorded(project / name, runbook=LASTING, **told))
    text = exported(load_runbook(project / "runbook.toml").slos, project="kamiyo")
    assert "target: 0.995" in text
    (project / "own.yaml").write_text(text.replace("target: 0.995", "target: 0.9"), encoding="utf-8")
    staging = project / "environments" / "staging.toml"
    staging.write_text('slo_file = "own.yaml"\n' + staging.read_text(encoding="utf-8"), encoding="utf-8")
    prod, own = _page(project, "history").text.split(" staging 1 deployment")
    assert "above 99.5 %" in prod
    assert "above 90 %" in own


def test_drills_alone_are_no_empty_page(project: Path) -> None:
    with Store.opened(_ledger(project)) as store:
        told = {"commit": BAD, "environment": "sandbox", "faults": ["slow"]}
        store.add(recorded(project / "r", result(SIGN_IN, Status.FAILED), runbook=LASTING, **told))
    text = _page(project, "history", "--env", "sandbox").text
    assert "No deployment counts yet: none of the runs below is one." in text
    assert "a drill: the platform was broken on purpose" in text
    assert "ROLL BACK" in text


def test_a_ledger_without_a_run_says_how_to_get_one(project: Path) -> None:
    assert "The ledger knows no run yet" in _page(project, "history").text
    one = _page(project, "history", "--env", "staging").text
    assert "The ledger knows no run of this environment yet." in one
    assert "make postdeploy ENV=staging" in one


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://ledger:canary@127.0.0.1:1/ledger", "127.0.0.1"),
        ("sqlite:///nowhere/ledger.db", "there is no folder nowhere"),
        ("nonsense", "neither sqlite"),
    ],
)
def test_a_ledger_that_is_away_is_one_clear_error(
    url: str, told: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAMIYO_LEDGER_URL", url)
    (project / "reports" / "index.html").write_text("the page before")
    assert main(["history"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert told in line
    assert "canary" not in line
    assert (project / "reports" / "index.html").read_text() == "the page before"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("INSERT INTO schema_steps VALUES (999, 'later')", "at step 999, this version knows"),
        ("UPDATE deployments SET began_at = 'soon'", "the ledger holds what nobody can read"),
        ("UPDATE runs SET recommendation = 'dance'", "the ledger holds what nobody can read"),
        ("DROP TABLE decisions", "no such table: decisions"),
    ],
)
def test_a_ledger_that_is_not_as_it_should_be_is_one_clear_error(
    statement: str, told: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.opened(_ledger(project)) as store:
        store.add(recorded(project / "r", commit=BAD, runbook=LASTING))
    with sqlite3.connect(project / "reports" / "ledger.db") as connection:
        connection.execute(statement)
    connection.close()
    assert main(["history"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert told in line
    assert not (project / "reports" / "index.html").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["history", "--env", "nowhere"], "there are: prod, sandbox, staging"),
        (["history", "--last", "0"], "0 is no number from 1 to 10,000"),
        (["history", "--last", "many"], "many is no number from 1 to 10,000"),
        ([], "COMMAND"),
    ],
)
@pytest.mark.usefixtures("project")
def test_mistakes_are_told(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 2
    assert told in capsys.readouterr().err


def test_a_ledger_in_postgres_gives_the_same_page(
    seeded: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres() as url:
        # Production's connection is encrypted, which this server does not know; a sandbox's need not be.
        monkeypatch.setenv("SANDBOX_LEDGER_URL", url)
        with Store.opened(url) as store, Store.opened(_ledger(seeded)) as known:
            for recording in known.recordings():
                store.add(recording)
            for decision in known.decisions("staging"):
                store.decide(decision)
        page = _page(project, "history", "--env", "sandbox")
        assert "The ledger knows no run of this environment yet." in page.text
        monkeypatch.setenv("STAGING_LEDGER_URL", url)
        text = _page(project, "history", "--env", "staging").text
        for command in ("retrospective", "incident"):
            assert main([command, "--env", "staging", BAD[:7]]) == 0
    assert (project / "reports" / "staging" / "incident-bad-one.md").is_file()
    assert "14 deployments in postgresql+psycopg://" in text
    assert "rolled back by Ada" in text


def test_an_empty_page_is_a_page() -> None:
    assert "The ledger knows no run yet" in Page(index_html((), {}, at=moment(0))).text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["history"], "kamiyo-verify history\n"),
        (
            ["history", "ENV=prod", "ARGS=--last 7"],
            "kamiyo-verify history --env prod --last 7\n",
        ),
        (
            ["retrospective", "ARGS=9c41d07"],
            "kamiyo-verify retrospective --env sandbox 9c41d07\n",
        ),
        (["incident", "ENV=staging"], "kamiyo-verify incident --env staging\n"),
    ],
)
def test_make_calls_the_command(words: list[str], told: str) -> None:
    command = ["make", "--no-print-directory", "-n", "-o", ".venv/.run", *words]
    said = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert re.sub(r" +", " ", said.stdout).replace(" \n", "\n").endswith(told)
