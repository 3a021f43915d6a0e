"""A host behind the team's own commands: what they print becomes neutral types."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.config.environments import ConfigurationError, load_environment
from kamiyo_verify.hooks.outcome import outcome_of
from kamiyo_verify.integrations.command.gateway import CommandGateway
from kamiyo_verify.integrations.command.hosting import CommandHosting
from kamiyo_verify.integrations.command.runner import Runner
from kamiyo_verify.integrations.command.settings import Command
from kamiyo_verify.model.hosting.rollback import CallOutcome
from kamiyo_verify.model.hosting.services import Event
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.words import Attribution, Status
from kamiyo_verify.processes.background_job import BackgroundJob

AT = datetime(2026, 11, 2, 10, tzinfo=UTC)


def deploy(number: int, status: str = "deactivated", **more: object) -> dict[str, Any]:
    at = (AT + timedelta(hours=number)).isoformat()
    return {
        "id": f"v{number}",
        "commit": {"id": str(number) * 40},
        "status": status,
        "created_at": at,
        **more,
    }


def printing(text: str, code: int = 0) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})", "{service}", "{deploy}"]


def state(*deploys: dict[str, Any], **more: object) -> list[str]:
    return printing("a warning\n" + json.dumps({"auto_deploy": False, "deploys": deploys, **more}))


def table(**keys: Any) -> Command:
    return Command.model_validate({"state": state(), **keys})


def runner(of: Command, *hidden: str) -> Runner:
    return Runner(of, hidden=hidden, record=lambda _: None, remaining=lambda: 20.0)


def hosting(**keys: Any) -> CommandHosting:
    of = table(**keys)
    return CommandHosting(of, {"notes": "srv notes; rm -rf /"}, runner(of))


def gateway(**keys: Any) -> CommandGateway:
    of = table(**keys)
    return CommandGateway(of, {"notes": "n"}, runner(of))


def test_a_state_is_read_newest_first_after_whatever_else_is_printed() -> None:
    found = hosting(state=state(deploy(1), deploy(3, "live"), deploy(2))).state("notes")

    assert [one.id for one in found.deploys] == ["v3", "v2", "v1"]
    assert found.live
    assert (found.live.commit_id, found.name, found.auto_deploy) == ("3" * 40, "notes", False)


def test_the_id_is_one_word_and_no_shell_reads_it() -> None:
    echo = [
        sys.executable,
        "-c",
        "import json,sys; print(json.dumps(dict(name=sys.argv[1], auto_deploy=False,",
    ]
    echo[2] += " deploys=[])))"
    assert hosting(state=[*echo, "{service}"]).state("notes").name == "srv notes; rm -rf /"


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (printing("no json"), "printed no JSON"),
        (printing(""), "printed no JSON"),
        (printing('{"deploys": []}'), "auto_deploy"),
        (printing('{"auto_deploy": false, "deploys": []}', code=1), "exit code 1"),
        (state(deploy(1, "sleeping")), "status"),
        (state(deploy(1, "live"), deploy(2, "live")), "several deploys are live"),
        (["/no/such/program"], "cannot be run"),
    ],
)
def test_what_is_no_state_is_no_answer(printed: list[str], told: str) -> None:
    with pytest.raises(NoAnswer, match=told):
        hosting(state=printed).state("notes")


def test_a_command_that_hangs_is_stopped() -> None:
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(NoAnswer, match="not done after"):
        hosting(state=sleeping, command_timeout_s=0.2).state("notes")


def test_a_command_that_hangs_costs_two_time_limits_and_not_one_an_item(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    program = f"import time; open({str(begun)!r}, 'a').write('.'); time.sleep(60)"
    host = hosting(state=[sys.executable, "-c", program], command_timeout_s=2)
    for told in ("not done after 2 s", "not done after 2 s", "twice, so it is not run again", "twice"):
        with pytest.raises(NoAnswer, match=told) as caught:
            host.state("notes")
        assert caught.value.kind is NoAnswerKind.COMMAND
    assert begun.read_text() == ".."


def test_a_command_is_stopped_before_the_item_that_waits_for_it_is() -> None:
    of = table(state=[sys.executable, "-c", "import time; time.sleep(60)"])
    late = Runner(of, hidden=(), record=lambda _: None, remaining=lambda: 1.5)
    with pytest.raises(NoAnswer, match="not done after 0 s"):
        CommandHosting(of, {"notes": "n"}, late).state("notes")


def test_a_change_may_take_longer_than_a_look(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    waits = f"import os, time\nwhile not os.path.exists({str(seen)!r}): time.sleep(0.01)"
    looks = [sys.executable, "-c", "import time; time.sleep(60)"]
    host = gateway(state=looks, roll_back=[sys.executable, "-c", waits], command_timeout_s=0.2)
    changing = BackgroundJob(lambda: host.roll_back("notes", "v1"), "roll back")
    with pytest.raises(NoAnswer, match="not done after"):
        host.state("notes")
    seen.touch()
    assert changing.outcome(20).outcome is CallOutcome.ACCEPTED


@pytest.mark.parametrize(
    ("words", "outcome", "began"),
    [
        (printing('{"deploy": "v9"}'), CallOutcome.ACCEPTED, "v9"),
        (printing("done"), CallOutcome.ACCEPTED, ""),
        (printing("build is gone", code=2), CallOutcome.REFUSED, ""),
        (printing("lost the connection", code=1), CallOutcome.LOST, ""),
        (["/no/such/program"], CallOutcome.REFUSED, ""),
        ([sys.executable, "-c", "import time; time.sleep(60)"], CallOutcome.LOST, ""),
        ([], CallOutcome.REFUSED, ""),
    ],
)
def test_a_change_is_accepted_refused_or_unknown(words: list[str], outcome: CallOutcome, began: str) -> None:
    sent = gateway(roll_back=words, change_timeout_s=1).roll_back("notes", "v1")
    assert (sent.outcome, sent.deploy) == (outcome, began)
    assert sent.why or outcome is CallOutcome.ACCEPTED


def test_the_commands_do_not_see_our_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_PASSWORD", "canary")
    show = "import json,os; print(json.dumps(dict(name=os.environ.get('NOTES_PASSWORD','hidden'),"
    of = table(state=[sys.executable, "-c", f"{show} auto_deploy=False, deploys=[])))"])
    assert CommandHosting(of, {"notes": "n"}, runner(of, "NOTES_PASSWORD")).state("notes").name == "hidden"


def test_logs_are_cut_to_the_span_and_filtered() -> None:
    lines = [
        {"at": (AT + timedelta(minutes=n)).isoformat(), "message": f"line {n}", "level": "error" if n else ""}
        for n in (2, 0, 1, 90)
    ]
    host = hosting(logs=printing(json.dumps({"lines": lines})))
    end = AT + timedelta(hours=1)

    assert [one.message for one in host.logs(["notes"], AT, end).lines] == ["line 0", "line 1", "line 2"]
    assert [one.message for one in host.logs(["notes"], AT, end, levels=["error"]).lines] == [
        "line 1",
        "line 2",
    ]
    assert not host.logs(["notes"], AT, end, at_most=1).complete


def test_what_commands_do_not_tell_is_unverified_and_never_empty() -> None:
    host = hosting()
    for ask in (host.events, host.requests, host.latency):
        with pytest.raises(Unverified):
            ask("notes", AT, AT)
    with pytest.raises(Unverified):
        host.logs(["notes"], AT, AT)


def test_two_hosts_of_the_same_services_are_refused(tmp_path: Path) -> None:
    (tmp_path / "prod.toml").write_text(
        '[services.api]\nurl = "https://a.example"\nhosting_id = "srv-1"\n[render]\nowner = "tea-1"\n'
        '[command]\nstate = ["x"]\n'
    )
    with pytest.raises(ConfigurationError, match="keep one of them"):
        load_environment("prod", tmp_path, overrides={}, variables={}, dotenv=None)


def events(*printed: dict[str, str]) -> tuple[Event, ...]:
    found = hosting(events=printing(json.dumps({"events": printed})))
    return found.events("notes", AT, AT + timedelta(hours=1))


@pytest.mark.parametrize(
    ("what", "kind", "told"),
    [
        ("crashed", "server_failed", "exit code 137"),
        ("out_of_memory", "server_failed", "killed for its memory"),
        ("unhealthy", "server_failed", "unhealthy: exit code 137"),
        ("restarted", "server_restarted", "exit code 137"),
        ("machine_failed", "server_hardware_failure", "exit code 137"),
    ],
)
def test_an_event_is_of_its_kind_and_says_why(what: str, kind: str, told: str) -> None:
    (found,) = events({"at": "2026-11-02T10:20:00Z", "what": what, "reason": "exit code 137"})
    assert found.type == kind
    assert told in str(found.failure)


def test_events_are_in_order_and_those_of_another_time_are_left_out() -> None:
    times = ("2026-11-02T10:40:00Z", "2026-11-02T10:20:00+00:00", "2026-11-01T10:20:00Z")
    found = events(*({"at": at, "what": "crashed"} for at in times))
    assert [one.timestamp.minute for one in found] == [20, 40]
    assert found[0].failure is None
    printed = [{"at": times[0], "what": "crashed"}, {"at": times[1], "what": "restarted"}]
    only = hosting(events=printing(json.dumps({"events": printed})))
    assert [one.type for one in only.events("notes", AT, AT + timedelta(hours=1), ("server_restarted",))] == [
        "server_restarted"
    ]


def test_an_event_of_an_unknown_kind_is_no_event_of_another() -> None:
    with pytest.raises(NoAnswer, match=r"events\.0\.what: Input should be 'crashed', 'out_of_memory'"):
        events({"at": "2026-11-02T10:20:00Z", "what": "exploded"})


def test_a_time_without_a_zone_is_utc() -> None:
    (found,) = events({"at": "2026-11-02T10:20:00", "what": "crashed"})
    assert found.timestamp == AT + timedelta(minutes=20)


@pytest.mark.parametrize(
    "broken",
    [
        printing("{}", 1),
        printing("<html>no</html>"),
        printing(""),
        state(deploy(1, "live"), deploy(2, "live")),
        ["/nowhere/hostctl", "state"],
    ],
)
def test_a_command_of_ours_that_fails_is_our_own_side(broken: list[str]) -> None:
    with pytest.raises(NoAnswer) as caught:
        hosting(state=broken).state("notes")
    outcome = outcome_of(caught.value, lambda: pytest.fail("no network is asked about a command"))
    assert (outcome.status, outcome.attribution) == (Status.ERROR, Attribution.PROBER)
