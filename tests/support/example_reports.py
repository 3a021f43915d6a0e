"""Whole reports of make-believe deployments by the real runbook: the same on every machine, made in a second.

Pytest-html writes them, around one passing test for each item; what stands above its table is ours.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history.chart_data import picture
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.confirmation import Confirmation, Recheck
from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.history.history import (
    Availability,
    Deployed,
    DeploymentRecord,
    Ended,
    History,
    PastDeployment,
    Source,
    Tally,
)
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import FailureKind, Phase, Status
from kamiyo_verify.reporting import html
from kamiyo_verify.reporting.html_page import mended

BEGAN = datetime(2026, 11, 23, 14, 1, 12, tzinfo=UTC)
COMMIT = "9c41d07b2f0e4a5d8c3b6a1e7f90d2c4b5a69788"
BEFORE = "3b0cca2e6d7f8091a2b3c4d5e6f708192a3b4c5d"
PHASES = (Phase.DEPLOY, Phase.POSTDEPLOY, Phase.PERFORMANCE)

_LATE = timedelta(minutes=6)
_RECHECKED = timedelta(seconds=66)
_WAITING = 'waiting for a person: --attest ITEM="WHO: WHAT", or attestations/<commit>.toml'
_SITE, _API = "https://kamiyo.ai", "https://api.kamiyo.ai"


@dataclass(frozen=True)
class Broken:
    """How an item fails; `ended` if it passes when it is checked again."""

    message: str
    kind: FailureKind
    sent: Exchange
    refusal: Refusal | None = None
    ended: bool = False


_CSRF = Exchange("GET", f"{_SITE}/api/auth/csrf", 500, 212.4, "9ab2e0")
_NO_SIGN_IN = {
    item: Broken("GET /api/auth/csrf answered 500 where 200 was expected", FailureKind.SERVER_ERROR, _CSRF)
    for item in (
        "postdeploy.auth-csrf",
        "postdeploy.auth-secret",
        "postdeploy.session-recognised",
        "postdeploy.credentials-accepted",
        "postdeploy.wrong-password-refused",
    )
}
_SILENT_STREAM = {
    "postdeploy.websocket-heartbeat": Broken(
        "no heartbeat came within 65 s; only a welcome did",
        FailureKind.WRONG_CONTENT,
        Exchange("GET", f"{_API.replace('http', 'ws')}/ws", 101, 48.0),
    )
}
_STALE = {
    "postdeploy.session-recognised": Broken(
        "/api/auth/session names no user for the session of TEST_SESSION_TOKEN",
        FailureKind.CREDENTIAL_REFUSED,
        Exchange(
            "GET", f"{_SITE}/api/auth/session", 200, 31.0, credential="TEST_SESSION_TOKEN", accepted=False
        ),
        Refusal("TEST_SESSION_TOKEN", RefusalKind.UNKNOWN_SESSION),
    )
}
_AWAY = {
    "postdeploy.api-health": Broken(
        "api.kamiyo.ai did not answer",
        FailureKind.NO_ANSWER,
        Exchange("GET", f"{_API}/health", None, 5_000.0, problem="refuses the connection"),
        ended=True,
    )
}


_EVERYTHING = {
    item: Broken(
        f"GET /{item.partition('.')[2]} answered {status} where 200 was expected: the service could not read"
        " what it needs to answer this request",
        FailureKind.SERVER_ERROR,
        Exchange("GET", f"{_API}/{item.partition('.')[2]}", status, 212.4, f"5ebe96e50346416c{n:016x}"),
    )
    for n, (item, status) in enumerate(
        {
            "postdeploy.api-health": 500,
            "postdeploy.api-readiness": 503,
            "postdeploy.exploits-served": 502,
            "postdeploy.frontend-health-proxy": 503,
            "postdeploy.cors-own-origins": 500,
            "postdeploy.websocket-heartbeat": 503,
            "postdeploy.data-present": 502,
        }.items()
    )
}


def good() -> Evidence:
    """A deployment that went well."""
    return _evidence({})


def bad() -> Evidence:
    """One after which nobody can sign in: one cause, many items; and which was away for forty seconds."""
    return _evidence(_NO_SIGN_IN)


def very_bad() -> Evidence:
    """One after which nothing works, each in its own way, and nobody can sign in."""
    return _evidence(_EVERYTHING | _NO_SIGN_IN)


def fix_forward() -> Evidence:
    """One after which live updates are silent: a lesser feature."""
    return _evidence(_SILENT_STREAM)


def stale() -> Evidence:
    """One in which our own stored session has expired."""
    return _evidence(_STALE)


def ended() -> Evidence:
    """One after which the API was away for forty seconds, and is back."""
    timeline = ServiceTimeline(
        "api",
        _iso(_LATE),
        tuple(map(float, range(90))),
        (0.1,) * 90,
        tuple("no answer" if 2 <= second < 42 else "" for second in range(90)),
    )
    return replace(_evidence(_AWAY), timelines=(timeline,))


EXAMPLES = {
    "proceed": good,
    "roll-back": bad,
    "fix-forward": fix_forward,
    "stale-credential": stale,
    "outage-ended": ended,
}
"""The five verdicts of docs/screenshots."""


def fragments(evidence: Evidence) -> tuple[str, ...]:
    """What stands above pytest-html's table."""
    verdict = decide(evidence)
    return html.fragments(verdict, picture(evidence, verdict))


def write(folder: Path, evidence: Evidence) -> Path:
    """The whole page, in that folder."""
    verdict = decide(evidence)
    parts = folder / "parts.html"
    parts.write_text("".join(fragments(evidence)), encoding="utf-8")
    (folder / "conftest.py").write_text(
        "from pathlib import Path\n"
        f"def pytest_html_report_title(report):\n    report.title = {html.title(verdict)!r}\n"
        "def pytest_html_results_summary(prefix):\n"
        f"    prefix.append(Path({str(parts)!r}).read_text(encoding='utf-8'))\n",
        encoding="utf-8",
    )
    (folder / "test_items.py").write_text(_tests(verdict), encoding="utf-8")
    page = folder / "report.html"
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--html={page}", "--self-contained-html")
    subprocess.run(
        [sys.executable, "-m", "pytest", f"--rootdir={folder}", "-c", "/dev/null", *options, "test_items.py"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    page.write_text(mended(page.read_text(encoding="utf-8")), encoding="utf-8")
    return page


def _tests(verdict: Verdict) -> str:
    lines = ["import pytest\n"]
    for n, item in enumerate(verdict.items):
        body = f"pytest.fail({item.message!r}, pytrace=False)" if item.status is Status.FAILED else "pass"
        lines.append(f"def test_{n}_{item.id.replace('.', '_').replace('-', '_')}():\n    {body}\n")
    return "\n".join(lines)


def _evidence(broken: dict[str, Broken]) -> Evidence:
    runbook = load_runbook(Path(__file__).parents[2] / "runbook.toml")
    chance = random.Random(7)  # noqa: S311 - chance, and no secret
    items = [item for item in runbook.items if item.phase in PHASES]
    results = tuple(_result(item, broken, n, chance) for n, item in enumerate(items))
    before = {
        "performance.api-response-time": (_series("response_times", 176, 90, chance, of="/exploits"),),
        "performance.frontend-first-byte": (
            _series("first_bytes", 90, 160, chance, of="/"),
            _series("first_bytes", 110, 160, chance, of="/dashboard"),
        ),
    }
    return Evidence(
        runbook=runbook,
        environment="prod",
        phases=PHASES,
        results=results,
        expected=tuple(item.id for item in items),
        production=True,
        commit=COMMIT,
        started_at=_iso(timedelta()),
        finished_at=_iso(_LATE + timedelta(seconds=88)),
        deploy_minutes=7,
        baseline=before,
        before=Before(
            run="20261120T090012Z-3b0cca2",
            baseline=False,
            commit=BEFORE,
            finished_at=_iso(timedelta(days=-3)),
            age_s=3 * 86_400 + 460,
            statuses={item.id: Status.PASSED for item in items},
        ),
        history=_history(),
        hosted=tuple(_hosted(service) for service in ("api", "frontend")),
    )


def _result(item: Item, broken: dict[str, Broken], number: int, chance: random.Random) -> Result:
    place = (timedelta() if item.phase is Phase.DEPLOY else _LATE) + timedelta(seconds=number % 40)
    if item.manual:
        return Result(item.id, item.phase, Status.UNVERIFIED, _WAITING)
    took = round(chance.uniform(0.01, 0.4), 3)
    measured = (*_measured(item.id, chance, bad=broken is _NO_SIGN_IN),)
    how = broken.get(item.id)
    if how is None:
        sent = Exchange("GET", f"{_API}/health", 200, took * 900, "7fe1c2", at=_iso(place))
        return Result(
            item.id,
            item.phase,
            Status.PASSED,
            measurements=measured,
            exchanges=(sent,),
            attempts=(Attempt(Status.PASSED, "", _iso(place), took),),
            started_at=_iso(place),
            duration_s=took,
            nodeids=(f"checks/{item.id}[api]",),
        )
    times = [_iso(place + timedelta(seconds=seconds)) for seconds in (0, 1.4, 2.8)]
    looks = [_iso(_LATE + _RECHECKED + timedelta(seconds=2 * n)) for n in range(8)]
    again = Status.PASSED if how.ended else Status.FAILED
    return Result(
        item.id,
        item.phase,
        Status.FAILED,
        how.message,
        measurements=measured,
        exchanges=tuple(replace(how.sent, at=at) for at in times),
        attempts=tuple(Attempt(Status.FAILED, how.message, at, took) for at in times),
        started_at=times[0],
        duration_s=took * len(times),
        nodeids=(f"checks/{item.id}[api]",),
        failure=how.kind,
        refusal=how.refusal,
        confirmation=None
        if how.refusal
        else Confirmation(times[0], tuple(Recheck(at, again) for at in looks), silent=how.ended),
    )


def _measured(item: str, chance: random.Random, *, bad: bool) -> Iterator[Measurement]:
    match item:
        case "performance.api-response-time":
            series = _series("response_times", 182, 320, chance)
            yield series
            yield replace(series, name="response_times[/exploits]")
        case "performance.frontend-first-byte":
            home, dashboard = (
                _series("first_bytes", at, 160, chance, of=path)
                for at, path in ((95, "/"), (118, "/dashboard"))
            )
            yield Measurement("first_bytes", (*home.value, *dashboard.value), "ms")  # type: ignore[misc]
            yield from (home, dashboard)
        case "performance.error-rate":
            yield Measurement("requests", 320, "count")
            yield Measurement("errors", 0, "count")
        case "performance.api-timing":
            yield from _timing(4.2, 21.0, 47.5, 48.0, 171.2, 176.9)
        case "performance.frontend-timing":
            yield from _timing(3.1, 17.4, 41.0, 41.3, 132.8, 151.0)
        case "deploy.duration":
            yield Measurement("duration", 318.0, "s")
            yield Measurement("began_at", _iso(timedelta(seconds=4)))
            for service, built, ended in (("api", 130, 236), ("frontend", 214, 322)):
                yield Measurement(f"{service}_began_at", _iso(timedelta(seconds=9)))
                yield Measurement(f"{service}_built_at", _iso(timedelta(seconds=built)))
                yield Measurement(f"{service}_finished_at", _iso(timedelta(seconds=ended)))
        case "deploy.downtime":
            yield Measurement("downtime", 40.0 if bad else 0.0, "s")
            yield Measurement(
                "outages_began",
                ((BEGAN + timedelta(seconds=221)).timestamp(),) if bad else (),
                "s since 1970",
            )
            yield Measurement("outages_lasted", (40.0,) if bad else (), "s")
        case "postdeploy.data-present":
            yield Measurement("exploits", 1284, "count")
            yield Measurement("chains", 54, "count")


def _timing(*moments: float) -> Iterator[Measurement]:
    names = ("namelookup", "connect", "appconnect", "pretransfer", "starttransfer", "total")
    for name, moment in zip(names, moments, strict=True):
        yield Measurement(f"time_{name}", moment, "ms")


def _series(name: str, middle: float, count: int, chance: random.Random, of: str = "") -> Measurement:
    values = tuple(
        round(chance.lognormvariate(0, 0.16) * middle + chance.expovariate(0.08), 2) for _ in range(count)
    )
    return Measurement(f"{name}[{of}]" if of else name, values, "ms")


def _history() -> History:
    chance = random.Random(3)  # noqa: S311 - chance, and no secret
    ends = [Ended.GOOD] * 6 + [Ended.ROLLED_BACK] + [Ended.GOOD] * 4
    recent = tuple(
        PastDeployment(
            commit=f"{chance.getrandbits(160):040x}",
            began_at=_iso(timedelta(days=-3 * (len(ends) - n))),
            ended=ended,
            duration_s=chance.uniform(250, 420),
            downtime_s=0.0,
            values={
                "api-p95": chance.uniform(205, 245) + (310 if ended is Ended.ROLLED_BACK else 0),
                "frontend-p95": chance.uniform(150, 190),
                "error-rate": 0.0021 if ended is Ended.ROLLED_BACK else 0.0,
            },
        )
        for n, ended in enumerate(ends)
    )
    previous = DeploymentRecord(
        commit=BEFORE,
        seen_at=recent[-1].began_at,
        runs=("run-before",),
        succeeded=True,
        rolled_back=False,
        seen=Deployed(commit=BEFORE),
    )
    availability = Availability(
        tally=Tally(96, 48_210, "requests"),
        source=Source.USERS,
        objective=0.995,
        window_s=30 * 86_400.0,
        observed_s=26 * 86_400.0,
        downtime_s=40.0,
        budget_left=0.6,
        burns=(),
    )
    return History(availability, Tally(1, 61, "deployments"), previous=previous, recent=recent)


def _hosted(service: str) -> ServiceState:
    api = f"https://api.render.com/v1/services/srv-{service}"
    return ServiceState(
        service=service,
        id=f"srv-{service}",
        name=f"kamiyo-{service}",
        dashboard=f"https://dashboard.render.com/web/srv-{service}",
        api=api,
        calls=(f'PATCH {api} {{"autoDeploy": "no"}}', f'POST {api}/rollback {{"deployId": "{{deploy}}"}}'),
        auto_deploy=True,
        suspended=False,
        deploys=(
            _deploy(f"dep-9d21{service}", COMMIT, DeployStatus.LIVE, timedelta(), _LATE),
            _deploy(
                f"dep-7fk2{service}",
                BEFORE,
                DeployStatus.DEACTIVATED,
                timedelta(days=-3),
                timedelta(days=-3, minutes=5),
            ),
        ),
    )


def _deploy(name: str, commit: str, status: DeployStatus, began: timedelta, ended: timedelta) -> Deploy:
    return Deploy(
        id=name,
        commit=DeployedCommit(id=commit),
        status=status,
        created_at=BEGAN + began,
        finished_at=BEGAN + ended,
    )


def _iso(after: timedelta) -> str:
    return (BEGAN + after).isoformat(timespec="milliseconds")
