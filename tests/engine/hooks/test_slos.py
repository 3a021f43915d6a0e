"""A run by an OpenSLO file says what it says by the same objectives in the runbook."""

from __future__ import annotations

import shutil

import pytest

from kamiyo_verify.cli.openslo import exported
from kamiyo_verify.config.runbook import load_runbook
from tests.support.toy_project import MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

TABLE = """
[[slos]]
id = "api-p95"
title = "API p95"
kind = "quantile"
quantile = 0.95
objective = 500
unit = "ms"
item = "performance.api"
measurement = "response_times"

[[slos]]
id = "error-rate"
title = "Requests that fail"
kind = "ratio"
objective = 0.001
item = "performance.api"
measurement = "errors"
total = "requests"

[[slos]]
id = "availability"
title = "Availability"
kind = "history"
objective = 0.995
better = "above"
window = "30d"
"""
CHECKS = """
@pytest.mark.item("performance.api")
def test_api(measure):
    measure("response_times", [100.0] * 90 + [700.0] * 10, unit="ms")
    measure("errors", 0, unit="count")
    measure("requests", 100, unit="count")
"""


@pytest.fixture
def objectives(toy: Toy) -> str:
    """Those of the toy's runbook as OpenSLO; its checks are there."""
    without_table(toy, "")
    (toy.folder / "runbook.toml").write_text((toy.folder / "runbook.toml").read_text() + TABLE)
    toy.check("performance/test_a.py", CHECKS)
    return exported(load_runbook(toy.folder / "runbook.toml").slos, project="Toy")


def without_table(toy: Toy, instead: str) -> None:
    toy.items({"performance.api": "performance"})
    path = toy.folder / "runbook.toml"
    path.write_text(path.read_text().replace("slos = []", instead), encoding="utf-8")


def judged(toy: Toy, *arguments: str) -> tuple[object, ...]:
    """What a run concludes of which there is no earlier one: the ledger would tell it what those saw."""
    ran = toy.run("-m", "performance", *arguments)
    verdict = ran.verdict
    shutil.rmtree(toy.folder / "reports")
    return (
        verdict.slos,
        verdict.reasons,
        verdict.recommendation,
        verdict.headline,
        verdict.exit_code,
        ran.code,
    )


@MOSTLY_ALONE
def test_a_file_of_the_same_objectives_gives_the_same_verdict(
    toy: Toy, objectives: str, workers: tuple[str, ...]
) -> None:
    by_table = judged(toy, *workers)
    toy.write("slos.yaml", objectives)
    without_table(toy, "slos = []")

    assert judged(toy, "--slos", "slos.yaml", *workers) == by_table
    assert "breached" in str(by_table)


def test_the_runbook_or_the_environment_may_name_the_file(toy: Toy, objectives: str) -> None:
    toy.write("slos.yaml", objectives)
    without_table(toy, 'slo_file = "slos.yaml"')
    by_runbook = judged(toy)
    without_table(toy, "slos = []")
    environment = toy.folder / "environments/toy.toml"
    environment.write_text('slo_file = "slos.yaml"\n' + environment.read_text())

    assert judged(toy) == by_runbook
    assert "Requests that fail" in str(by_runbook)


@pytest.mark.exhaustive
def test_what_is_not_used_is_told_when_the_run_begins(toy: Toy, objectives: str) -> None:
    alert = "---\napiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: fast-burn}\nspec: {}\n"
    toy.write("slos.yaml", objectives + alert)
    ran = toy.run("-m", "performance", "--slos", "slos.yaml")

    assert "objectives: not used: AlertPolicy fast-burn: nobody is paged by the suite" in ran.out


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--slos", "nowhere.yaml"), "nowhere.yaml: cannot be read: No such file or directory"),
        (("--slos", "slos.yaml"), "line 1, apiVersion: must be"),
    ],
)
def test_a_file_that_is_not_right_ends_the_run_before_it_begins(
    toy: Toy, objectives: str, arguments: tuple[str, ...], says: str
) -> None:
    toy.write("slos.yaml", "apiVersion: openslo/v2\nkind: SLO\nmetadata: {name: x}\n")
    ran = toy.run(*arguments)

    assert ran.code == 4
    assert says in ran.out
    assert ran.report is None


@pytest.mark.exhaustive
def test_a_runbook_has_a_table_or_a_file(toy: Toy, objectives: str) -> None:
    without_table(toy, 'slo_file = "slos.yaml"')
    path = toy.folder / "runbook.toml"
    path.write_text(path.read_text() + TABLE, encoding="utf-8")
    ran = toy.run("-m", "performance")

    assert ran.code == 4
    assert "slo_file: stands beside a table of slos, which it would replace: keep one of them" in ran.out
