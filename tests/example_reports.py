"""Whole reports of make-believe deployments by the real runbook: the same on every machine, made in a second.

Pytest-html writes them, around one passing test for each item; what stands above its table is ours.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plugins.judge.decide import decide
from plugins.judge.evidence import Evidence
from plugins.judge.picture import picture
from plugins.model.circumstances import Before, Hosted, Version
from plugins.model.history import (
    Availability,
    Deployed,
    DeploymentRecord,
    Ended,
    History,
    PastDeployment,
    Source,
    Tally,
)
from plugins.model.result import Attempt, Exchange, Measurement, Result
from plugins.model.runbook import Item
from plugins.model.verdict import Verdict
from plugins.model.words import Phase, Status, WebService
from plugins.report_page import mended
from plugins.runbook import load_runbook
from plugins.writers import html

BEGAN = datetime(2026, 11, 23, 14, 1, 12, tzinfo=UTC)
COMMIT = "9c41d07b2f0e4a5d8c3b6a1e7f90d2c4b5a69788"
BEFORE = "3b0cca2e6d7f8091a2b3c4d5e6f708192a3b4c5d"
PHASES = (Phase.DEPLOY, Phase.POSTDEPLOY, Phase.PERFORMANCE)

_LATE = timedelta(minutes=6)
_BROKEN = {
    "postdeploy.credentials-accepted": "401 where 200 was expected, for an account that exists",
    "postdeploy.session-recognised": "/api/auth/session named nobody, with a session that is valid",
    "postdeploy.auth-secret": "the CSRF cookie is not of the configured NEXTAUTH_SECRET",
}
_WAITING = 'waiting for a person: --attest ITEM="WHO: WHAT", or attestations/<commit>.toml'


def good() -> Evidence:
    """A deployment that went well."""
    return _evidence(broken={})


def bad() -> Evidence:
    """One after which nobody can sign in, and which was away for forty seconds."""
    return _evidence(broken=_BROKEN)


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


def _evidence(broken: dict[str, str]) -> Evidence:
    runbook = load_runbook(Path(__file__).parents[1] / "runbook.toml")
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
        finished_at=_iso(_LATE + timedelta(seconds=64)),
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
        hosted=tuple(_hosted(service) for service in WebService),
    )


def _result(item: Item, broken: dict[str, str], number: int, chance: random.Random) -> Result:
    began = _iso((timedelta() if item.phase is Phase.DEPLOY else _LATE) + timedelta(seconds=number % 40))
    if item.by_hand:
        return Result(item.id, item.phase, Status.UNVERIFIED, _WAITING)
    took = round(chance.uniform(0.01, 0.4), 3)
    why = broken.get(item.id, "")
    status = Status.FAILED if why else Status.PASSED
    tries = tuple(Attempt(status, why, began, took) for _ in range(3 if why else 1))
    exchange = Exchange("GET", "https://api.kamiyo.ai/health", 200, took * 900, "7fe1c2")
    if why:
        exchange = Exchange("POST", "https://kamiyo.ai/api/auth/callback/credentials", 401, 212.4, "9ab2e0")
    return Result(
        item.id,
        item.phase,
        status,
        why,
        measurements=(*_measured(item.id, chance, bad=bool(broken)),),
        exchanges=(exchange,) * (3 if why else 1),
        attempts=tries,
        started_at=began,
        duration_s=took * len(tries),
        nodeids=(f"checks/{item.id}[api]",),
        screenshots=(),
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


def _hosted(service: WebService) -> Hosted:
    at, live = _iso(timedelta(days=-3)), _iso(timedelta(days=-3, minutes=5))
    return Hosted(
        service=service,
        name=f"kamiyo-{service}",
        dashboard=f"https://dashboard.render.com/web/srv-{service}",
        api=f"https://api.render.com/v1/services/srv-{service}",
        auto_deploy=True,
        current=Version(
            deploy=f"dep-9d21{service}", commit=COMMIT, began_at=_iso(timedelta()), live_at=_iso(_LATE)
        ),
        last_good=Version(deploy=f"dep-7fk2{service}", commit=BEFORE, began_at=at, live_at=live),
    )


def _iso(after: timedelta) -> str:
    return (BEGAN + after).isoformat(timespec="milliseconds")
