"""The roles of docs/kubernetes.md allow exactly what is asked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.engine.integrations.kubernetes.conftest import Bench

PAGE = Path(__file__).parents[4] / "docs" / "kubernetes.md"
Right = tuple[str, str, str]


def roles() -> dict[str, dict[str, Any]]:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found = [one for block in blocks for one in yaml.safe_load_all(block)]
    return {one["metadata"]["name"]: one for one in found if one["kind"] == "Role"}


def rights(role: dict[str, Any]) -> set[Right]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def needed(method: str, path: str) -> Right:
    """Source: kubernetes.io/docs/reference/access-authn-authz/authorization, "Request verbs"."""
    found = re.fullmatch(r"/(?:api|apis/(\w+))/v1/namespaces/[^/]+/(\w+)(?:/([^/]+)(/\w+)?)?", path)
    assert found, path
    group, resource, name, part = found.groups()
    verb = "patch" if method == "PATCH" else "get" if name else "list"
    return group or "", resource + (part or ""), verb


def test_each_role_allows_exactly_what_is_asked(bench: Bench) -> None:
    bench.cluster.release("notes", "1" * 40)
    bench.cluster.release("notes", "2" * 40)
    pod = bench.cluster.pod("notes", {"state": {"running": {}}})
    bench.cluster.logs[pod["metadata"]["name"], "app", False] = ""
    now = datetime.now(UTC)
    hosting = bench.hosting()
    hosting.state("notes")
    hosting.events("notes", now - timedelta(hours=1), now)
    hosting.logs(["notes"], now - timedelta(hours=1), now)
    reading = {needed(*one) for one in bench.cluster.asked}
    assert reading == rights(roles()["kamiyo-verify"])

    bench.gateway().roll_back("notes", "1")
    more = {needed(*one) for one in bench.cluster.asked} - reading
    assert more == rights(roles()["kamiyo-verify-rollback"])
