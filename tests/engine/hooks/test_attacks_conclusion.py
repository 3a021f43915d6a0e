"""The conclusion survives what surrounds it: signals, a hung ledger, a full disk, a terminal that is gone."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.sandbox_process import wait_until
from tests.support.stopwatch import Stopwatch
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

HANGS = """
import pathlib, time
import pytest
import kamiyo_verify.hooks.session_end.ledger

def hang(*arguments, **named):
    with pathlib.Path("hung").open("a") as hung:
        hung.write(".")
    time.sleep(3600)

kamiyo_verify.hooks.session_end.ledger.RunLedger.{method} = hang
"""
"""`_open` runs in a thread of its own, as a database that does not answer would hang."""

STARTED_S = 60
"""On a busy machine, a run takes its time to start."""


@pytest.fixture
def well(toy: Toy) -> Toy:
    toy.items({"postdeploy.health": "core"})
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...')
    return toy


def with_plugin(toy: Toy, text: str) -> None:
    toy.write("saboteur.py", text)
    conftest = (toy.folder / "conftest.py").read_text()
    toy.write("conftest.py", conftest.replace('"toy_fixtures"', '"toy_fixtures", "saboteur"'))


def verdict_in(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "verdict.json").read_text())
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_while_the_ledger_hangs_costs_neither_verdict_nor_evidence(
    well: Toy, number: signal.Signals
) -> None:
    with_plugin(well, HANGS.format(method="_open"))
    process = well.start("-m", "postdeploy", "--report-dir", "report")
    report = well.folder / "report"
    evidence = report / "evidence.jsonl"
    wait_until(lambda: evidence.exists() and '"kind": "result"' in evidence.read_text(), STARTED_S)
    watch = Stopwatch()
    while process.poll() is None and watch.seconds < 60:
        process.send_signal(number)
        time.sleep(0.2)
    ran = well.finished(process)

    assert ran.code in {0, 2}, ran.out
    assert verdict_in(report)["exit_code"] == ran.code
    assert "Traceback" not in ran.out
    assert "Ledger       not written; the verdict does not change" in ran.out
    assert watch.seconds < 15, "a signal shortens every wait"


def test_a_second_signal_in_the_middle_of_a_check_keeps_the_report(well: Toy) -> None:
    well.check(
        "postdeploy/test_a.py",
        '@pytest.mark.item("postdeploy.health")\ndef test_health():\n'
        "    import pathlib, time\n    pathlib.Path('tried').touch()\n    time.sleep(3600)",
    )
    process = well.start("-m", "postdeploy", "--report-dir", "report")
    wait_until((well.folder / "tried").exists, STARTED_S)
    for _ in range(50):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    ran = well.finished(process)

    assert ran.code == 2, ran.out
    assert verdict_in(well.folder / "report")["recommendation"] == "inconclusive"
    assert "Traceback" not in ran.out


def test_a_ledger_that_hangs_is_waited_for_once(well: Toy) -> None:
    with_plugin(
        well, HANGS.format(method="_open") + "\nkamiyo_verify.hooks.session_end.ledger._WAIT_S = 0.5\n"
    )
    ran = well.run("-m", "postdeploy")

    assert ran.code == 0, ran.out
    assert ran.verdict.recommendation == "proceed"
    assert "Ledger       not written; the verdict does not change" in ran.out
    assert (well.folder / "hung").read_text() == "."


def test_the_report_is_written_before_the_ledger(well: Toy) -> None:
    with_plugin(
        well,
        """
import pathlib
import kamiyo_verify.hooks.session_end.ledger

def keep(self, evidence):
    written = sorted(path.name for path in pathlib.Path(evidence).parent.iterdir())
    pathlib.Path("written").write_text(" ".join(written))
    return ""

kamiyo_verify.hooks.session_end.ledger.RunLedger.keep = keep
""",
    )
    assert well.run("-m", "postdeploy").code == 0
    written = (well.folder / "written").read_text().split()
    assert {"verdict.json", "report.html", "junit.xml", "deployment.md", "evidence.jsonl"} <= set(written)


@pytest.mark.parametrize("step", ["judging", "looking up"])
def test_a_step_that_takes_too_long_is_ended(well: Toy, step: str) -> None:
    place = {
        "judging": "sequence._JUDGE_S = 0.3\nsequence.conclude = hang",
        "looking up": "gathering._LOOK_S = 0.3\ngathering.with_circumstances = hang",
    }[step]
    imports = "import time\nfrom kamiyo_verify.hooks.session_end import gathering, sequence\n"
    hang = f"{imports}\ndef hang(*args):\n    time.sleep(3600)\n\n"
    with_plugin(well, hang + place)
    ran = well.run("-m", "postdeploy")

    assert ran.code == (3 if step == "judging" else 0), ran.out
    assert "took longer than 0.3 s" in ran.out


def run_with(toy: Toy, **how: object) -> subprocess.CompletedProcess[bytes]:
    variables = {**os.environ, **how.pop("env", {})}  # type: ignore[dict-item]
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "pytest", "--env", "toy", "-m", "postdeploy", "--report-dir", "report"],
        cwd=toy.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
        **how,
    )


@pytest.mark.parametrize("call", ["proceed", "roll_back"])
def test_a_full_disk_keeps_the_call(well: Toy, call: str) -> None:
    if call == "roll_back":
        text = '@pytest.mark.item("postdeploy.health")\ndef test_health(): assert False, "down " * 100'
        well.check("postdeploy/test_a.py", text)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))

    ran = run_with(well, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=full)
    out = ran.stdout.decode()

    assert ran.returncode == {"proceed": 0, "roll_back": 20}[call], out
    assert "not written; the verdict does not change" in out
    assert "Traceback" not in out
    shutil.rmtree(well.folder / "report")  # nobody can judge again what is not on the disk


@pytest.mark.parametrize("call", ["proceed", "roll_back"])
@pytest.mark.parametrize("way", ["read no further", "closed", "full"])
def test_a_terminal_that_is_gone_keeps_the_call(well: Toy, way: str, call: str) -> None:
    if call == "roll_back":
        well.check(
            "postdeploy/test_a.py",
            '@pytest.mark.item("postdeploy.health")\ndef test_health(): assert False, "down"',
        )
    if way == "read no further":
        reading, writing = os.pipe()
        os.close(reading)
        ran = run_with(well, stdout=writing, stderr=subprocess.DEVNULL)
        os.close(writing)
    elif way == "closed":
        ran = run_with(well, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.close(1))
    else:
        with Path("/dev/full").open("wb") as full:
            ran = run_with(well, stdout=full, stderr=full)

    assert ran.returncode == {"proceed": 0, "roll_back": 20}[call]
    assert verdict_in(well.folder / "report")["recommendation"] == call


def test_a_terminal_of_few_characters_keeps_the_call(well: Toy) -> None:
    few = {
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    ran = run_with(well, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=few)

    assert ran.returncode == 0, ran.stdout
    assert b"PROCEED" in ran.stdout
    assert verdict_in(well.folder / "report")["exit_code"] == 0


def test_text_that_no_encoding_can_write_costs_no_verdict(well: Toy) -> None:
    well.check(
        "postdeploy/test_a.py",
        '@pytest.mark.item("postdeploy.health")\ndef test_health(measure, record):\n'
        "    import json\n    title = json.loads('\"\\\\ud800 \\\\udfff\"')\n"
        '    measure("title", title)\n    print(title)\n'
        '    record(Exchange("GET", f"http://127.0.0.1/{title}", 200, 1.0))\n'
        "    assert False, f'the newest error is {title}'",
    )
    for workers in ((), ("-n", "2")):
        ran = well.run("-m", "postdeploy", *workers)

        assert ran.code == 20, ran.out
        assert r"the newest error is \ud800 \udfff" in ran.message("postdeploy.health")
