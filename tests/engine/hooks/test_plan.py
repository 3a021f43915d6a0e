"""--plan says what would be checked, and does nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.engine.hooks.test_checklist import BY_HAND
from tests.support.toy_project import ITEMS, MOSTLY_ALONE, ROOT, Toy

pytest_plugins = ["pytester"]

PAYMENTS = """
[[sections]]
title = "Step 4"

[[sections.items]]
id = "postdeploy.webhook"
title = "Webhook"
impact = "payments"
part = "payments"
"""


@pytest.fixture
def planned(toy: Toy) -> Toy:
    toy.items(ITEMS, more=BY_HAND + PAYMENTS)
    toy.check(
        "postdeploy/test_a.py",
        """
@pytest.mark.item("postdeploy.health")
def test_health(): raise SystemExit("a plan runs nothing")

@pytest.mark.item("postdeploy.data")
@pytest.mark.needs("database.url")
def test_data(): ...

@pytest.mark.item("postdeploy.list")
@pytest.mark.writes("one subscription")
def test_list(): ...

@pytest.mark.item("postdeploy.webhook")
@pytest.mark.needs("payments.webhook_secret")
def test_webhook(): ...
""",
    )
    return toy


@MOSTLY_ALONE
def test_each_item_is_told_with_its_fate(planned: Toy, workers: tuple[str, ...]) -> None:
    ran = planned.run("--plan", *workers)

    assert ran.code == 0, ran.out
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    for line in (
        "+ postdeploy.health will be tried",
        "- postdeploy.data unverified: TOY_DATABASE_URL (database.url) is not set",
        '- postdeploy.list unverified: it would write one subscription, and mutations = "forbidden" in toy',
        "- postdeploy.live no check yet",
        "- postdeploy.webhook not applicable: toy has no payments",
        '- preflight.review waits for a person: --attest preflight.review="WHO: WHAT"',
        "- preflight.tests no check yet",
        "8 items: 1 will be tried, 3 no check yet, 2 unverified, 1 waits for a person, 1 not applicable",
    ):
        assert line in lines, line
    assert lines.index("postdeploy") < lines.index("performance")
    assert not (planned.folder / "reports").exists()


def test_a_credential_from_the_environment_or_the_file_changes_the_plan(planned: Toy) -> None:
    assert "+ postdeploy.data" in planned.run("--plan", env={"TOY_DATABASE_URL": "postgresql://u:p@h/d"}).out
    planned.write(".env", "TOY_DATABASE_URL=postgresql://u:p@h/d\n")
    assert "+ postdeploy.data" in planned.run("--plan").out


def test_the_plan_is_of_the_selection(planned: Toy) -> None:
    ran = planned.run("--plan", "-m", "postdeploy", "-k", "health")

    assert "preflight.tests" not in ran.out
    assert "- postdeploy.list  not selected" in ran.out
    assert "- postdeploy.live  no check yet" in ran.out


def test_a_plan_imports_nothing_that_only_a_run_needs() -> None:
    """Each takes from 0.1 to 0.3 s of the 0.8 s that a plan may take."""
    heavy = (
        *("alembic", "anyio", "certifi", "httpcore2", "httpx2", "mako", "psycopg", "pyarrow", "pygal"),
        *("sqlalchemy", "starlette", "stripe", "websockets", "yaml"),
        *("kamiyo_verify.judge.decide", "kamiyo_verify.model.verdict", "kamiyo_verify.reporting.html"),
    )
    look = f"""
import sys, pytest
code = pytest.main(["-m", "postdeploy", "--env", "prod", "--plan", "-q"])
print("imported:", code, [name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "imported: 0 []"
