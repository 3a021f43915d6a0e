"""Three places look at one sandbox, each through proxies of an address and with faults of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.cli.combine import main
from tests.e2e.runs import EXHAUSTIVE, Ran
from tests.e2e.stage import QUICK, Stage, staged
from tests.support.misbehaving_proxy import Fate
from tests.support.sandbox_process import Sandbox, started

pytestmark = EXHAUSTIVE

HOSTS = {"frankfurt": "127.0.0.2", "virginia": "127.0.0.3", "tokyo": "127.0.0.4"}
NOBODY = '["http://127.0.0.5:9/"]'


@dataclass
class Places:
    """The stage of each place."""

    stages: dict[str, Stage]
    folder: Path

    def verify(self, controls: Mapping[str, str] | None = None) -> dict[str, Ran]:
        """Run the suite at each place, for some with other control addresses."""
        given = {name: {"urls": urls} for name, urls in (controls or {}).items()}
        return {
            name: stage.verify("--place", name, mark=QUICK, given=None, **given.get(name, {}))
            for name, stage in self.stages.items()
        }

    def combine(self, ran: dict[str, Ran]) -> tuple[int, dict[str, Any]]:
        """Combine the runs by their folders; return the exit code and the verdict."""
        code = main([*(str(run.folder) for run in ran.values()), "--output", str(self.folder / "all")])
        return code, json.loads((self.folder / "all" / "verdict.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with started("--heartbeat", "0.5") as sandbox:
        yield sandbox


@pytest.fixture
def places(running: Sandbox, tmp_path: Path) -> Iterator[Places]:
    with ExitStack() as stack:
        stages = {
            name: stack.enter_context(staged(running, tmp_path / name, host)) for name, host in HOSTS.items()
        }
        yield Places(stages, tmp_path)


def test_one_of_three_broken_is_regional(places: Places) -> None:
    places.stages["virginia"].frontend.breaks(Fate.STATUS, path="/api/auth/")
    ran = places.verify()
    code, verdict = places.combine(ran)

    assert {name: run.code for name, run in ran.items()} == {"frankfurt": 0, "virginia": 20, "tokyo": 0}
    assert (code, verdict["recommendation"]) == (10, "fix_forward")
    assert "regional: it fails at 1 of 3 places (virginia)" in verdict["headline"]
    assert verdict["rollback"]["services"] == []


def test_three_of_three_broken_is_the_platform(places: Places) -> None:
    for stage in places.stages.values():
        stage.frontend.breaks(Fate.STATUS, path="/api/auth/")
    code, verdict = places.combine(places.verify())

    assert code == 20, verdict["headline"]
    assert "the platform, not a region" in verdict["headline"]
    assert {one["recommendation"] for one in verdict["places"]} == {"roll_back"}


def test_a_place_without_network_is_left_out(places: Places) -> None:
    for proxy in (places.stages["tokyo"].api, places.stages["tokyo"].frontend):
        proxy.breaks(Fate.REFUSE)
    ran = places.verify({"tokyo": NOBODY})
    code, verdict = places.combine(ran)

    assert ran["tokyo"].code == 30, ran["tokyo"].output
    assert (code, verdict["recommendation"]) == (0, "proceed"), verdict["headline"]
    assert "tokyo left out" in verdict["headline"]
    left_out = {one["place"]: one["left_out"] for one in verdict["places"] if one["left_out"]}
    assert list(left_out) == ["tokyo"]
    assert "its own network is in doubt" in left_out["tokyo"]
