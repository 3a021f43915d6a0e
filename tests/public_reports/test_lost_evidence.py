"""Evidence that pytest loses before a check runs, as people report it; and assertions that are switched off.

Each case is named by the public report that it comes from. A required item that was not looked at is
named, and the call is never to proceed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.engine.hooks.test_attacks_lost_evidence import CACHING, DATA, FAST, HEALTH
from tests.support.toy_project import ROOT, Toy

pytest_plugins = ["pytester"]
Report = pytest.param
LISTED = '@pytest.mark.item("postdeploy.list")\ndef test_list(): ...'
LIVE = '@pytest.mark.item("postdeploy.live")\ndef test_live(): ...'


def project(toy: Toy, options: str = "") -> None:
    """A project with five checks, of which the one of its data fails; `options` stand in its addopts."""
    toy.write("pyproject.toml", CACHING.replace('addopts = ["', f'addopts = [{options}"'))
    impacts = {"health": "core", "data": "data", "list": "feature", "live": "feature"}
    items = {f"postdeploy.{name}": impact for name, impact in impacts.items()}
    toy.items(items | {"performance.api": "performance"})
    for name, body in (("health", HEALTH), ("data", DATA), ("list", LISTED), ("live", LIVE)):
        toy.check(f"postdeploy/test_{name}.py", body)
    toy.check("performance/test_fast.py", FAST)


def test_check_files_that_cannot_be_collected_are_named_where_addopts_passes_over_them(toy: Toy) -> None:
    """ModelEngine-Group/unified-cache-management#754 has the option in its configuration.

    The files are those of buildkite/test-collector-python#106 and pytest-dev/pytest#149 (a module that is not
    there), pytest-dev/pytest#7218 (a syntax error) and pytest-dev/pytest#12690 (a dependency of a few tests).
    """
    project(toy, '"--continue-on-collection-errors", ')
    toy.check("postdeploy/test_data.py", f"import no_such_module_anywhere\n{DATA}")
    toy.check("postdeploy/test_list.py", f"this is a syntax error\n{LISTED}")
    toy.check("postdeploy/test_live.py", f'pytest.importorskip("no_such_dependency")\n{LIVE}')
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 30, ran.out
    assert ran.statuses["postdeploy.health"] == "passed", "what was seen is still shown"
    for name in ("data", "list", "live"):
        assert ran.statuses[f"postdeploy.{name}"] == "unverified"
        assert f"test_{name}.py" in ran.message(f"postdeploy.{name}")


def test_a_run_of_what_failed_last_is_no_verification_though_another_check_failed(toy: Toy) -> None:
    """pytest-dev/pytest#4362: the failure that --lf knows is left out, and a later one is not found.

    pytest-dev/pytest#7758 and pytest-dev/pytest#13614: it also runs fewer tests, or others, than failed.
    """
    project(toy)
    known = {"checks/postdeploy/test_list.py::test_list": True}
    toy.write(".pytest_cache/v/cache/lastfailed", json.dumps(known))
    ran = toy.run("-m", "postdeploy", "--lf", "--lfnf=none")

    assert ran.code == 30, ran.out
    assert ran.statuses["postdeploy.list"] == "passed"
    assert ran.statuses["postdeploy.data"] == "unverified"
    assert "--lf" in ran.message("postdeploy.data")


@pytest.mark.parametrize(
    ("options", "level"),
    [
        Report(("-O",), "", id="nose-devs/nose#504"),
        Report(("-OO",), "", id="bayesflow-org/bayesflow#606"),
        Report((), "1", id="scrapy/queuelib#32"),
        Report((), "2", id="python-pillow/Pillow#4399"),
    ],
)
def test_python_without_assertions_is_refused_however_it_was_asked_for(
    options: tuple[str, ...], level: str
) -> None:
    """A helper of a check that asserts is not rewritten by pytest, and would pass in silence."""
    ask = "from kamiyo_verify.hooks.preconditions import refuse_without_assertions as ask; ask()"
    ran = subprocess.run(
        [sys.executable, *options, "-c", ask],
        env={**os.environ, "PYTHONOPTIMIZE": level},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "UsageError: Python runs without assertions (-O or PYTHONOPTIMIZE)" in ran.stderr
