"""Three services and a worker on a host behind commands of the team: only the broken one goes back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted_project import (
    NEW,
    OLD,
    SERVICES,
    WORKER,
    break_notes,
    hosted_project,
    roll_back,
    verify,
)

DEPLOYCTL = """
import json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOST = Path("host.json")
WHAT, SERVICE, *MORE = sys.argv[1:]
host = json.loads(HOST.read_text())
deploys = host[SERVICE]
if WHAT == "roll-back":
    old = next(one for one in deploys if one["id"] == MORE[0])
    for one in deploys:
        one["status"] = "deactivated"
    now = datetime.now(UTC).isoformat()
    again = {"id": old["id"] + "-again", "status": "live", "trigger": "rollback"}
    deploys.insert(0, {**old, **again, "created_at": now, "finished_at": now})
    HOST.write_text(json.dumps(host))
    print(json.dumps({"deploy": deploys[0]["id"]}))
elif WHAT == "logs":
    at = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    print(json.dumps({"lines": [{"at": at, "message": "waiting for work"}], "complete": True}))
else:
    print("reading the state")
    print(json.dumps({"name": SERVICE, "auto_deploy": False, "deploys": deploys}))
"""
COMMAND = """
[command]
state = ["{python}", "deployctl.py", "state", "{{service}}"]
roll_back = ["{python}", "deployctl.py", "roll-back", "{{service}}", "{{deploy}}"]
logs = ["{python}", "deployctl.py", "logs", "{{service}}"]
poll_s = 0.1
"""


def deploys() -> list[dict[str, Any]]:
    def one(number: int, commit: str, status: str) -> dict[str, Any]:
        at = datetime.now(UTC) - timedelta(minutes=30 * (3 - number))
        return {
            "id": f"v{number}",
            "commit": {"id": commit},
            "status": status,
            "created_at": at.isoformat(),
            "finished_at": (at + timedelta(seconds=9)).isoformat(),
        }

    return [one(2, NEW, "live"), one(1, OLD, "deactivated")]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A healthy platform, with its project."""
    with hosted_project(tmp_path, COMMAND.format(python=sys.executable), "--host", "command") as folder:
        (folder / "deployctl.py").write_text(DEPLOYCTL)
        (folder / "host.json").write_text(json.dumps(dict.fromkeys((*SERVICES, WORKER), deploys())))
        yield folder


def test_a_healthy_platform_is_proceed(project: Path) -> None:
    verdict = verify(project)
    assert verdict["recommendation"] == "proceed", verdict["output"]


def test_only_the_broken_service_goes_back(project: Path) -> None:
    break_notes(project)
    verdict = verify(project)

    assert verdict["recommendation"] == "roll_back", verdict["output"]
    rollback = verdict["rollback"]
    assert [(step["service"], step["from"], step["to"]) for step in rollback["services"]] == [
        ("notes", "v2", "v1")
    ]
    assert set(rollback["stays"]) == {"accounts", "search", "indexer"}

    ran = roll_back(project, verdict)
    host = json.loads((project / "host.json").read_text())
    live = {
        name: next(one["id"] for one in listed if one["status"] == "live") for name, listed in host.items()
    }
    assert "Verifying: pytest -m postdeploy" in ran.stdout
    assert live == {"accounts": "v2", "notes": "v1-again", "search": "v2", "indexer": "v2"}, (
        ran.stdout + ran.stderr
    )
