"""Mistakes on the command line: one line, exit code 4, no platform, no report, no row in the ledger."""

from __future__ import annotations

import os

import pytest

from tests.support.toy_project import ROOT, Toy

pytest_plugins = ["pytester"]

# It takes its faults as argparse does, and leaves a mark where it really starts.
PLATFORM = """
import argparse, json, pathlib, sys
parser = argparse.ArgumentParser(prog="toy")
parser.add_argument("--fault", action="append", default=[], choices=["api-down", "sign-in-broken"])
parser.add_argument("--commit")
parser.add_argument("--scene")
parser.parse_args()
pathlib.Path("started").touch()
print(json.dumps({}), flush=True)
sys.stdin.read()
"""
LAUNCH = '\n[launch]\ncommand = ["{python}", "toy_platform.py"]\nready_within_s = 20\n'
PHASES = "the phases are: preflight, deploy, postdeploy, performance, rollback, followup"
AT_MOST_S = 1.5

MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "no phase": ((), f"name the phase to verify, such as pytest -m postdeploy; {PHASES}"),
    "a phase": (("-m", "postdeploi"), 'there is no mark "postdeploi"; did you mean "postdeploy"?'),
    "a phase of several": (
        ("-m", "postdeploy and not performanc"),
        'there is no mark "performanc"; did you mean "performance"?',
    ),
    "a mark unlike any": (("-m", "quick"), f'there is no mark "quick"; {PHASES}'),
    "half an expression": (("-m", "postdeploy and"), "is not a complete expression; join phases by and, or"),
    "an expression without a name": (("-m", "and and"), 'it has "and" where a name is expected'),
    "a comparison": (("-m", "postdeploy == 1"), "is not a complete expression; join phases by and, or"),
    "a comma": (("-m", "postdeploy,performance"), 'it has "," where and, or is expected'),
    "names without names": (("-k", "and and"), '-k "and and": is not a complete expression; join names'),
    "names side by side": (("-m", "postdeploy", "-k", "health data"), 'it has "data" where and, or is'),
    "a name with arguments": (("-m", "postdeploy", "-k", "health(a=1)"), 'it has "(" where and, or is'),
    "half a parenthesis of a plan": (("--plan", "-k", "("), "it has its end where a name is expected"),
    "a plan of what holds no checks": (
        ("other", "-m", "postdeploy", "--plan"),
        "--plan: other holds no checks; they are in checks",
    ),
    "a baseline of what holds no checks": (("other", "--baseline"), "--baseline: other holds no checks"),
    "a document without boxes": (("-m", "postdeploy", "--runbook", "plain.md"), "has no checkbox in a list"),
    "a document of other boxes": (
        ("-m", "postdeploy", "--runbook", "shopping.md"),
        'none of its checkboxes, the first "Buy milk" in line 3, is an item',
    ),
    "a runbook that is not there": (("-m", "postdeploy", "--runbook", "none.md"), "none.md: cannot be read"),
    "a runbook for a part": (("checks/postdeploy", "--runbook", "boxes.md"), "compares with every check"),
    "a phase of a plan": (("--plan", "-m", "rolback"), 'did you mean "rollback"?'),
    "an environment": (("-m", "postdeploy", "--env", "tyo"), 'no environment "tyo"; did you mean "toy"?'),
    "a fault": (
        ("-m", "postdeploy", "--fault", "sign-in-brokn"),
        '--fault sign-in-brokn: unknown; did you mean "sign-in-broken"?',
    ),
    "an option": (
        ("-m", "postdeploy", "--commt", "9c41d07"),
        '--commt: there is no such option; did you mean "--commit"?',
    ),
    "an option with its value": (
        ("-m", "postdeploy", "--deadlin=60"),
        '--deadlin: there is no such option; did you mean "--deadline"?',
    ),
    "a choice": (("-m", "postdeploy", "--on-roll-back", "exec"), 'did you mean "execute"?'),
    "a commit": (("-m", "postdeploy", "--commit", "main"), "--commit: 'main' is no commit"),
    "a time": (("-m", "postdeploy", "--deadline", "soon"), "--deadline: 'soon' is no number of seconds"),
    "a value left out": (("-m", "postdeploy", "--commit"), "--commit: expected one argument"),
    "a folder": (
        ("checks/postdeply",),
        'checks/postdeply: there is no such file or folder; did you mean "checks/postdeploy"?',
    ),
    "a file": (("checks/postdeploy/test_q.py",), 'did you mean "checks/postdeploy/test_a.py"?'),
    "a file and its test": (
        ("checks/postdeploy/test_b.py::test_health",),
        'did you mean "checks/postdeploy/test_a.py"?',
    ),
    "an attested item": (
        ("-m", "postdeploy", "--attest", "postdeploy.helth=Ada: did"),
        'no item "postdeploy.helth"; did you mean "postdeploy.health"?',
    ),
    "an attestation": (("-m", "postdeploy", "--attest", "postdeploy.health"), "is not of the form ITEM="),
    "an address": (("-m", "postdeploy", "--api-url", "here"), "services.api.url: must be an http(s) URL"),
    "a service": (
        ("-m", "postdeploy", "--url", "apy=https://x.example"),
        'no service has this name; did you mean "api"?',
    ),
    "a service that stays": (("-m", "rollback", "--stays", "fronted"), 'did you mean "frontend"?'),
    "all services stay": (
        ("-m", "rollback", "--stays", "api", "--stays", "frontend"),
        "nothing was rolled back then",
    ),
    "a file of objectives": (("-m", "postdeploy", "--slos", "slos.yaml"), "slos.yaml: cannot be read"),
    "a ready line": (("-m", "postdeploy", "--launched", "ready"), "--launched ready: holds no ready line"),
    "a fault of a running platform": (
        ("-m", "postdeploy", "--api-url", "http://127.0.0.1:9", "--fault", "api-down"),
        "only a platform that this run starts can be broken",
    ),
    "nobody to notify": (("-m", "postdeploy", "--notify"), "--notify: toy has no channels"),
}


@pytest.fixture
def project(toy: Toy) -> Toy:
    toy.environment(more=LAUNCH)
    toy.write("toy_platform.py", PLATFORM)
    toy.write("other/test_broken.py", "import nothing_of_this_name")
    toy.write("plain.md", "# Our project")
    toy.write("shopping.md", "# List\n\n- [ ] Buy milk\n- [ ] Buy bread\n")
    toy.write("boxes.md", "# Step 4\n\n- [ ] The API answers\n")
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...')
    return toy


def _of_children() -> float:
    """Seconds of processor time of child processes; the clock would count those of others too."""
    used = os.times()
    return used.children_user + used.children_system


def test_there_are_many() -> None:
    assert len(MISTAKES) >= 20


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_starts_and_writes_nothing(project: Toy, name: str) -> None:
    arguments, says = MISTAKES[name]
    before = _of_children()
    ran = project.run(*arguments)
    spent = _of_children() - before

    told = [line for line in ran.out.splitlines() if line.strip()]
    assert ran.code == 4, ran.out
    assert len(told) == 1, ran.out
    assert told[0].startswith("ERROR: ")
    assert says in told[0]
    assert not (project.folder / "started").exists()
    assert not (project.folder / "reports" / "ledger.db").exists()
    assert not [*project.folder.glob("reports/**/*.json*"), *project.folder.glob("reports/**/*.html")]
    assert spent < 2 * AT_MOST_S, "generous, for machines on which others use the cores"


def test_an_empty_selection_names_the_phases(project: Toy) -> None:
    ran = project.run("-m", "postdeploy", "-k", "nothing_of_this_name")
    assert ran.code == 30
    assert "the phases are preflight, deploy, postdeploy, performance, rollback, followup" in ran.out


@pytest.mark.parametrize("arguments", [("-m", "postdeploy"), ()])
def test_in_another_folder_the_message_says_where_to_stand(
    arguments: tuple[str, ...], project: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / "docs").mkdir()
    monkeypatch.chdir(project.folder / "docs")
    ran = project.run(*arguments, env={"PYTHONPATH": f"{ROOT}:{project.folder}"})
    assert ran.code == 4
    assert f"run it in {project.folder}, or as pytest ../checks" in ran.out


def test_from_the_folder_of_a_phase_the_project_is_found(
    project: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder / "checks" / "postdeploy")
    ran = project.run("-m", "postdeploy", "--plan", env={"PYTHONPATH": f"{ROOT}:{project.folder}"})
    assert ran.code == 0, ran.out
    assert "+ postdeploy.health  will be tried" in ran.out
