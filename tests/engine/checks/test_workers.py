"""A worker runs: by its live deploy, its restarts and its log; what the host cannot tell is not verified."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from kamiyo_verify.checks import library
from kamiyo_verify.integrations.command.hosting import CommandHosting
from kamiyo_verify.integrations.command.runner import Runner
from kamiyo_verify.integrations.command.settings import Command
from kamiyo_verify.model.hosting.port import Hosting
from kamiyo_verify.model.hosting.services import (
    Deploy,
    DeployedCommit,
    DeployStatus,
    Event,
    Failure,
    ServiceState,
)
from kamiyo_verify.model.hosting.signals import LogLine, Logs
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified, WrongAnswer
from tests.engine.checks.test_library import Measured

OLD, NEW = "1" * 40, "2" * 40


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def deploy(status: DeployStatus = DeployStatus.LIVE, *, since_s: float = 3600, commit: str = NEW) -> Deploy:
    return Deploy(
        id="d2",
        commit=DeployedCommit(id=commit) if commit else None,
        status=status,
        created_at=ago(since_s + 60),
        finished_at=ago(since_s),
    )


@dataclass
class Host:
    """A host with one worker; by default it runs for an hour, logged 20 s ago and never crashed."""

    deploys: tuple[Deploy, ...] = field(default_factory=lambda: (deploy(),))
    logged: tuple[float, ...] = (20,)
    crashed: tuple[float, ...] = ()
    suspended: bool = False
    stays: str = ""
    services: tuple[str, ...] = ("indexer",)

    def state(self, service: str) -> ServiceState:
        return ServiceState(
            service=service,
            id="id",
            name=service,
            dashboard="",
            api="",
            auto_deploy=False,
            suspended=self.suspended,
            deploys=self.deploys,
        )

    def stays_because(self, service: str, commit: str, since: datetime) -> str:  # noqa: ARG002
        return self.stays

    def logs(
        self,
        services: Iterable[str],
        start: datetime,
        end: datetime,
        *,
        types: Sequence[str] = (),
        at_most: int = 1_000,
    ) -> Logs:
        assert ([*services], [*types]) == (["indexer"], ["app"])
        times = sorted(at for at in map(ago, self.logged) if start <= at <= end)
        lines = [LogLine(id="", message="indexed 3 notes", timestamp=at) for at in times]
        return Logs(tuple(lines[-at_most:]), complete=True)

    def events(
        self, service: str, start: datetime, end: datetime, types: Sequence[str] = ()
    ) -> tuple[Event, ...]:
        assert types == ("server_failed",), "a restart by hand and a broken machine are no crashes"
        return tuple(
            Event(
                id="",
                timestamp=at,
                service_id=service,
                type="server_failed",
                failure=Failure(non_zero_exit=1),
            )
            for at in map(ago, self.crashed)
            if start <= at <= end
        )


def host(**settings: Any) -> Hosting:
    """As much of a host as the checks of a worker use; for the settings see `Host`."""
    return cast("Hosting", Host(**settings))


class Silent(Host):
    """A host that does not answer for logs."""

    def logs(self, *_: object, **__: object) -> Logs:
        raise NoAnswer(NoAnswerKind.CREDENTIAL, "the host refuses our key")


def test_a_worker_that_is_live_and_logs_runs() -> None:
    measured = Measured()
    library.worker_runs(host(), "indexer", measured, commit=NEW)
    library.worker_stays_up(host(), "indexer", measured)
    library.worker_logs(host(), "indexer", measured)

    assert (measured["deploy"], measured["crashes"]) == ("d2", 0)
    assert 19 < float(str(measured["log_age"])) < 30


# Made when a test runs, as their times count from then.
WRONG: dict[str, tuple[Callable[[], Hosting], str]] = {
    "suspended": (lambda: host(suspended=True), "indexer is suspended at the host: it does not run"),
    "never-deployed": (lambda: host(deploys=()), "no deploy of indexer is live at the host: it has none"),
    "failed": (
        lambda: host(deploys=(deploy(DeployStatus.BUILD_FAILED),)),
        "is live at the host: the newest is build failed",
    ),
    "silent": (lambda: host(logged=()), "indexer has logged nothing for 5 min: it may hang"),
    "silent-for-long": (lambda: host(logged=(400,)), "has logged nothing for 5 min"),
    "crashed": (
        lambda: host(crashed=(30, 600)),
        r"indexer has crashed 2 times since its deploy: at .*status 1",
    ),
    "other-commit": (
        lambda: host(deploys=(deploy(commit=OLD),)),
        "runs commit 111111111111 where 222222222222 was expected",
    ),
}
UNKNOWN: dict[str, tuple[Callable[[], Hosting], str]] = {
    "not-hosted": (
        lambda: host(services=("notes",)),
        r"\[services.indexer\] has no hosting_id, so no host knows",
    ),
    "too-young": (
        lambda: host(deploys=(deploy(since_s=10),), logged=(120,)),
        r"live for only \d+ s and has logged nothing yet",
    ),
    "no-commit": (
        lambda: host(deploys=(deploy(commit=""),)),
        "the host knows no commit of what is live on indexer",
    ),
}


def every_check(of: Hosting) -> None:
    library.worker_runs(of, "indexer", Measured(), commit=NEW)
    library.worker_stays_up(of, "indexer", Measured())
    library.worker_logs(of, "indexer", Measured())


@pytest.mark.parametrize("case", WRONG)
def test_a_worker_that_does_not_run_fails(case: str) -> None:
    of, why = WRONG[case]
    with pytest.raises(WrongAnswer, match=why):
        every_check(of())


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_the_host_cannot_tell_is_not_verified(case: str) -> None:
    of, why = UNKNOWN[case]
    with pytest.raises(Unverified, match=why):
        every_check(of())


def test_a_host_that_refuses_our_key_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match="refuses our key"):
        library.worker_logs(cast("Hosting", Silent()), "indexer", Measured())


def test_crashes_before_its_deploy_are_not_its_own() -> None:
    library.worker_stays_up(host(crashed=(4000,)), "indexer", Measured())


def test_a_worker_that_crashed_and_runs_again_runs() -> None:
    """Nobody rolls back for a crash that is over."""
    library.worker_runs(host(crashed=(600,)), "indexer", Measured(), commit=NEW)


def test_a_commit_that_does_not_change_the_worker_leaves_it_as_it_is() -> None:
    kept = host(deploys=(deploy(commit=OLD),), stays="keeps its commit: no file of it changed")
    library.worker_runs(kept, "indexer", Measured(), commit=NEW)


def test_a_silent_log_does_not_say_that_the_worker_is_gone() -> None:
    library.worker_runs(host(logged=()), "indexer", Measured())


@pytest.fixture
def commands(tmp_path: Path) -> CommandHosting:
    """A host of commands with a worker that is live and logged just now."""
    program = tmp_path / "host.py"
    live = {
        "id": "d1",
        "status": "live",
        "created_at": ago(900).isoformat(),
        "finished_at": ago(800).isoformat(),
    }
    printed = {
        "state": {"name": "indexer", "auto_deploy": False, "suspended": False, "deploys": [live]},
        "logs": {"lines": [{"at": ago(5).isoformat(), "message": "indexed"}], "complete": True},
    }
    program.write_text(
        f"import json, sys\nprint(json.dumps(json.loads({json.dumps(printed)!r})[sys.argv[1]]))\n"
    )
    called = (sys.executable, str(program))
    table = Command(state=(*called, "state"), logs=(*called, "logs"))
    runner = Runner(table, hidden=frozenset(), record=lambda _: None, remaining=lambda: 30.0)
    return CommandHosting(table, {"indexer": "indexer"}, runner)


def test_commands_without_events_report_no_crashes(commands: CommandHosting) -> None:
    with pytest.raises(Unverified, match="has no events, so nobody tells of crashes and restarts"):
        library.worker_stays_up(commands, "indexer", Measured())
    measured = Measured()
    library.worker_runs(commands, "indexer", measured)
    library.worker_logs(commands, "indexer", measured)
    assert float(str(measured["log_age"])) >= 5
