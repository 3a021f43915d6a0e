"""The rollback as people have it done: a command of its own, against Render, with a verdict before it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import DecisionKind
from tests.support.rolling_back import Asked, Hoster, Project, hoster
from tests.support.sandbox_process import wait_until

BOTH = ("api", "frontend")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a verdict that calls for a rollback of both services."""
    project = Project.made(tmp_path_factory.mktemp("judged") / "project")
    with hoster() as render:
        project.lives_on(render)
        ran = project.verify()
        assert ran.code == 20, ran.out
        assert render.gate.writes == []
        assert "kamiyo-verify rollback --env toy" in ran.out
    return project


@pytest.fixture
def render() -> Iterator[Hoster]:
    with hoster() as found:
        yield found


@pytest.fixture
def project(judged: Project, render: Hoster, tmp_path: Path) -> Project:
    found = judged.copied(tmp_path / "project")
    found.lives_on(render)
    return found


def restored(project: Project, render: Hoster) -> None:
    """Both services are back, by one rollback each, held, verified and recorded."""
    assert [render.is_back(service) for service in BOTH] == [True, True]
    assert [len(render.rollbacks(service)) for service in BOTH] == [1, 1]
    assert render.auto_deploy() == [False, False]
    assert project.verified
    assert project.record["end"] == "done"
    assert project.record["recorded"] == ""
    with Store.opened(f"sqlite:///{project.folder / 'reports' / 'ledger.db'}") as store:
        [decision] = store.decisions("toy")
    assert (decision.deed, decision.who) == (DecisionKind.ROLLED_BACK, "Ada")
    assert "kamiyo-api to dep-" in decision.note


def test_both_services_are_restored_verified_and_recorded(project: Project, render: Hoster) -> None:
    ran = project.roll_back()

    assert ran.code == 0, ran.out
    restored(project, render)
    patched, rolled = render.gate.writes[:2], render.gate.writes[2:]
    assert all(write.startswith("PATCH ") for write in patched)
    assert [write.split("/")[2] for write in rolled] == [
        "srv-sandboxfrontend00000",
        "srv-sandboxapi0000000000",
    ], "the frontend goes first"
    assert render.key not in ran.out + (project.report / "rollback.jsonl").read_text()
    again = project.roll_back()
    assert (again.code, "carried out already" in again.out) == (2, True), again.out
    assert len(render.gate.writes) == 4


@pytest.mark.exhaustive
def test_a_push_is_not_deployed_after_it(project: Project, render: Hoster) -> None:
    assert len(render.world.push()) == 4
    render.world.begin()
    assert project.roll_back().code == 0
    pushed = {deploy.service for deploy in render.world.push()}
    assert pushed.isdisjoint(BOTH), "auto-deploy is off where something was taken back, and on elsewhere"


@pytest.mark.parametrize("allow", ["", "allow_rollback = false"])
def test_without_leave_it_refuses(project: Project, render: Hoster, allow: str) -> None:
    project.lives_on(render, allow=allow)
    ran = project.roll_back()

    assert ran.code == 2
    assert "environments/toy.toml: allow_rollback is not true" in ran.out
    assert render.gate.asked == []


def test_by_itself_it_does_nothing_while_the_ledger_cannot_be_read(project: Project, render: Hoster) -> None:
    (project.folder / "reports" / "ledger.db").write_bytes(b"this is no database" * 100)
    ran = project.roll_back()

    assert (ran.code, "needs a person" in " ".join(ran.out.split())) == (2, True), ran.out
    assert render.gate.writes == []


def test_a_dry_run_sends_nothing_and_shows_every_call(project: Project, render: Hoster) -> None:
    project.lives_on(render, allow="")
    ran = project.roll_back("--dry-run")

    assert ran.code == 0, ran.out
    assert render.gate.writes == []
    verdict = json.loads((project.report / "verdict.json").read_text())
    for step in verdict["rollback"]["services"]:
        for call in step["calls"]:
            assert call.split("/services", 1)[1] in ran.out
    assert "allow_rollback is not true" in ran.out
    assert not (project.report / "rollback.jsonl").exists()


@pytest.mark.exhaustive
def test_without_a_terminal_and_without_yes_it_refuses(project: Project, render: Hoster) -> None:
    ran = project.roll_back("--by", "Ada")

    assert (ran.code, "--yes" in ran.out) == (2, True), ran.out
    assert render.gate.writes == []


@pytest.mark.exhaustive
def test_a_second_one_at_the_same_time_is_refused(project: Project, render: Hoster) -> None:
    second: list[str] = []

    def keeper(asked: Asked) -> None:
        if asked.is_rollback and not second:
            second.append("waits")

    render.gate.keeper = keeper
    render.world.deploy_s = 2.0
    first = project.start("kamiyo_verify.cli", "rollback", "--env", "toy", "--by", "Ada", "--yes")
    wait_until(lambda: bool(second))
    refused = project.roll_back()
    out, _ = first.communicate(timeout=60)

    assert refused.code == 2
    assert "another rollback of toy is running (Ada, process " in refused.out
    assert first.returncode == 0, out
    restored(project, render)


@pytest.mark.exhaustive
def test_what_was_seen_before_is_not_acted_on_when_things_have_changed(
    project: Project, render: Hoster
) -> None:
    render.world.trigger("api", "")
    wait_until(lambda: all(str(render.world.status(one)) != "created" for one in render.world.deploys("api")))
    ran = project.roll_back()

    assert ran.code == 2
    assert "another deploy of kamiyo-api is on its way" in ran.out or "has changed" in ran.out
    assert render.gate.writes == []


def killed_at(project: Project, render: Hoster, wanted: Callable[[Asked], bool]) -> bool:
    """Whether an execution came to such a request, and was killed by it; else it was done."""
    hit: list[Asked] = []

    def keeper(asked: Asked) -> None:
        if wanted(asked) and not hit:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            hit.append(asked)

    render.gate.keeper = keeper
    process = project.start("kamiyo_verify.cli", "rollback", "--env", "toy", "--by", "Ada", "--yes")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if hit else 0), out
    render.gate.keeper = lambda _asked: None
    return bool(hit)


def finishes(project: Project, render: Hoster) -> None:
    ran = project.roll_back()
    assert ran.code == 0, ran.out
    restored(project, render)


def _is_at(moment: tuple[int, bool], asked: Asked) -> bool:
    return (asked.number, asked.done) == moment


BEFORE, AFTER = "before Render heard", "before we heard"


@pytest.mark.parametrize(
    ("call", "moment"),
    [
        pytest.param(call, moment, marks=[] if (call, moment) == (2, AFTER) else [pytest.mark.exhaustive])
        for call in range(4)
        for moment in (BEFORE, AFTER)
    ],
)
def test_killed_at_a_call_it_finishes(project: Project, render: Hoster, call: int, moment: str) -> None:
    """Two calls switch auto-deploy off, the third and the fourth roll back."""

    def wanted(asked: Asked) -> bool:
        writes = len(render.gate.writes) - 1
        return asked.method != "GET" and writes == call and asked.done is (moment == AFTER)

    assert killed_at(project, render, wanted)
    assert project.journal[-1]["kind"] == "call", "the call was written down before it was sent"
    finishes(project, render)


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", [0, 2])
def test_killed_at_any_request_it_finishes(judged: Project, tmp_path: Path, first: int) -> None:
    """Every fourth one from the first or the third on, by turns before and after Render hears it."""
    for number in range(first, 100, 4):
        with hoster() as render:
            project = judged.copied(tmp_path / f"at-{number}")
            project.lives_on(render)
            moment = (number, number % 8 < 4)
            if not killed_at(project, render, partial(_is_at, moment)):
                break
            finishes(project, render)
    assert number > 12, "there are that many requests at the least"


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["begun", "call", "answer", "seen", "done", "verified", "recorded"])
def test_killed_after_each_kind_of_line_it_finishes(project: Project, render: Hoster, kind: str) -> None:
    process = project.start("kamiyo_verify.cli", "rollback", "--env", "toy", "--by", "Ada", "--yes")
    journal = project.report / "rollback.jsonl"

    def written() -> bool:
        return process.poll() is not None or (journal.exists() and f'"kind": "{kind}"' in journal.read_text())

    wait_until(written, within_s=30)
    process.kill()
    process.communicate(timeout=60)
    if any(line["kind"] == "recorded" for line in project.journal):
        assert project.roll_back().code == 2
        restored(project, render)
    else:
        finishes(project, render)


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_what_was_done_and_what_not(
    project: Project, render: Hoster, number: signal.Signals
) -> None:
    begun: list[int] = []

    def keeper(asked: Asked) -> None:
        if asked.is_rollback and asked.done and not begun:
            begun.append(asked.number)
            os.kill(process.pid, number)

    render.gate.keeper = keeper
    process = project.start("kamiyo_verify.cli", "rollback", "--env", "toy", "--by", "Ada", "--yes")
    out, _ = process.communicate(timeout=60)

    assert process.returncode == 130, out
    assert "INTERRUPTED  0 of 2 services back" in out
    assert "kamiyo-frontend: " in out
    assert "kamiyo-api: auto-deploy switched off, not rolled back" in out
    assert "kamiyo-verify rollback --env toy" in out
    assert project.record["end"] == "interrupted"
    render.gate.keeper = lambda _asked: None
    finishes(project, render)


def test_pytest_carries_it_out_where_it_is_asked_to(judged: Project, tmp_path: Path) -> None:
    project = Project.made(tmp_path / "project")
    with hoster() as render:
        project.lives_on(render)
        ran = project.verify("--on-roll-back=execute")

        assert ran.code == 20, ran.out
        assert [render.is_back(service) for service in BOTH] == [True, True]
        assert render.auto_deploy() == [False, False]
        assert "ROLLED BACK" in ran.out
        assert project.verified
        assert project.record["how"] == "--on-roll-back=execute"
        assert project.record["recorded"] == ""
    assert judged.folder.exists()


@pytest.mark.parametrize(
    ("arguments", "allow", "code", "told"),
    [
        (("--on-roll-back=advise",), True, 20, ""),
        (("--on-roll-back=execute",), False, 20, "allow_rollback is not true"),
        (("--on-roll-back=execute", "--baseline"), True, 10, ""),
        (("--on-roll-back=execute", "--api-url=http://127.0.0.1:9"), True, 20, "services.api.url was given"),
    ],
    ids=["advise", "not allowed", "baseline", "another address"],
)
@pytest.mark.exhaustive
def test_pytest_leaves_it_where_a_condition_is_missing(
    tmp_path: Path, arguments: tuple[str, ...], code: int, told: str, *, allow: bool
) -> None:
    project = Project.made(tmp_path / "project")
    with hoster() as render:
        project.lives_on(render, allow="allow_rollback = true" if allow else "")
        ran = project.verify(*arguments)

        assert ran.code == code, ran.out
        assert told in ran.out
        assert ("NOT DONE" in ran.out) is bool(told)
        assert render.gate.writes == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("assert True", 0),
        ("pytest.skip('for a reason')", 30),
        ("assert Path('/proc/none').exists(), 'a lesser thing'", 10),
    ],
    ids=["proceed", "inconclusive", "fix_forward"],
)
def test_no_other_call_is_acted_on(tmp_path: Path, line: str, code: int) -> None:
    project = Project.made(tmp_path / "project")
    project.write(
        "checks/postdeploy/test_health.py",
        "from pathlib import Path\nimport pytest\n\n"
        f'@pytest.mark.item("postdeploy.health")\ndef test_it():\n    {line}\n',
    )
    if code == 10:
        runbook = (project.folder / "runbook.toml").read_text()
        project.write(
            "runbook.toml",
            runbook.replace(
                'id = "postdeploy.health"\ntitle = "postdeploy.health"\nimpact = "core"',
                'id = "postdeploy.health"\ntitle = "postdeploy.health"\nimpact = "feature"',
            ),
        )
    with hoster() as render:
        project.lives_on(render)
        ran = project.verify("--on-roll-back=execute")

        assert ran.code == code, ran.out
        assert render.gate.writes == []
        assert "ROLLED BACK" not in ran.out


def change_verdict(project: Project, **fields: object) -> None:
    path = project.report / "verdict.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def change_header(project: Project, **fields: object) -> None:
    path = project.report / "evidence.jsonl"
    first, _, rest = path.read_text().partition("\n")
    path.write_text(json.dumps({**json.loads(first), **fields}) + "\n" + rest)


def hours_ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds")


UNFIT: dict[str, tuple[Callable[[Project, Hoster], None], str]] = {
    "two hours old": (
        lambda project, _: change_verdict(project, finished_at=hours_ago(2)),
        "too old to act on",
    ),
    "of tomorrow": (lambda project, _: change_verdict(project, finished_at=hours_ago(-24)), "still to come"),
    "exit code 0": (lambda project, _: change_verdict(project, exit_code=0), "contradicts itself"),
    "exit code 2": (lambda project, _: change_verdict(project, exit_code=2), "contradicts itself"),
    "another commit": (
        lambda project, _: change_verdict(project, commit="abcdef0123"),
        "about commit abcdef0",
    ),
    "a baseline": (lambda project, _: change_header(project, baseline=True), "a baseline tells"),
    "a drill": (lambda project, _: change_header(project, faults=["api-down"]), "of a drill"),
    "a launched platform": (lambda project, _: change_header(project, launched=True), "of a drill"),
    "elsewhere": (lambda project, _: change_header(project, overrides={"api.url": "x"}), "looked elsewhere"),
    "no evidence": (
        lambda project, _: (project.report / "evidence.jsonl").unlink(),
        "is missing or cannot be",
    ),
}


@pytest.mark.parametrize("how", UNFIT)
def test_a_verdict_that_is_not_fit_is_not_acted_upon(project: Project, render: Hoster, how: str) -> None:
    spoil, told = UNFIT[how]
    spoil(project, render)
    ran = project.roll_back("--yes", "--from", str(project.report))

    assert ran.code == 2, ran.out
    assert told in ran.out
    assert render.gate.writes == []


def test_a_deploy_of_four_months_is_nobodys_failed_deployment(project: Project, render: Hoster) -> None:
    for service in BOTH:
        for deploy in render.world.deploys(service):
            object.__setattr__(deploy, "created_at", deploy.created_at - timedelta(days=120))
    ran = project.roll_back("--yes", "--from", str(project.report))

    assert ran.code == 2, ran.out
    assert "so that deployment is hardly what broke it" in ran.out
    assert render.gate.writes == []
