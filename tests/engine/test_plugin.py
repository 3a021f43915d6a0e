"""The plugin beside projects that know nothing of it, and in a folder without a runbook."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), "-m", "pytest", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A project of its own, with folders and an option of the names that a careless plugin would take."""
    files = {
        "pyproject.toml": '[tool.pytest]\nstrict = true\ntestpaths = ["tests"]\nmarkers = ["deploy: ours"]\n',
        "conftest.py": (
            "def pytest_addoption(parser):\n"
            '    parser.addoption("--env", default="theirs")\n'
            '    parser.addoption("--plan", action="store_true")\n'
        ),
        "plugins/__init__.py": "",
        "plugins/mine.py": "VALUE = 1\n",
        "checks/__init__.py": "",
        "checks/postdeploy.py": "def check(): return 2\n",
        "sandbox/__init__.py": "OPEN = True\n",
        "tests/test_theirs.py": (
            "import pytest\n"
            "from checks.postdeploy import check\n"
            "from plugins.mine import VALUE\n"
            "import sandbox\n\n"
            "@pytest.mark.deploy\n"
            "def test_option(request):\n"
            '    assert request.config.getoption("--env") == "theirs-too"\n\n'
            "def test_modules():\n"
            "    assert (VALUE, check(), sandbox.OPEN) == (1, 2, True)\n"
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_project_without_a_runbook_does_not_notice_the_plugin(stranger: Path) -> None:
    ran = run(Path(sys.executable), stranger, "--env=theirs-too", "--plan")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
    assert not (stranger / "reports").exists()
    options = run(Path(sys.executable), stranger, "--help").stdout
    assert "--on-roll-back" not in options
    assert "kamiyo-verify:" not in options


@pytest.mark.parametrize("arguments", [("-m", "postdeploy", "--env", "prod"), ("--env=prod",)])
def test_a_verification_without_a_runbook_is_a_usage_error_in_one_line(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    ran = run(Path(sys.executable), tmp_path, *arguments)

    assert ran.returncode == 4
    said = [line for line in (ran.stdout + ran.stderr).splitlines() if line]
    assert len(said) == 1, said
    assert "there is no runbook.toml" in said[0]


@pytest.mark.exhaustive
def test_the_wheel_holds_the_engine_alone_and_stands_beside_a_strangers_project(
    stranger: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source, home = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("home") / "venv"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("plugins", "checks", "sandbox"):
        unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=unwanted)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(source), str(source)], check=True, capture_output=True)
    [wheel] = source.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    engine = source / "plugins" / "kamiyo_verify"
    assert held == {
        path.relative_to(source / "plugins").as_posix() for path in engine.rglob("*") if path.is_file()
    }
    assert any("/templates/" in name for name in held)

    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True, capture_output=True)
    ran = run(python, stranger, "--env=theirs-too", "--plan")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def test_the_engine_is_imported_as_python_does_and_checks_as_pytest_does(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check(
        "postdeploy/test_importers.py",
        """
import sys

def loader(module):
    return type(module.__spec__.loader).__name__

@pytest.mark.item("postdeploy.health")
def test_health(record):
    ours = {name: loader(module) for name, module in sys.modules.items() if name.startswith("kamiyo_verify.")}
    assert len(ours) > 100
    pytests = sorted(name for name, by in ours.items() if by == "AssertionRewritingHook")
    assert loader(sys.modules[__name__]) == "AssertionRewritingHook"
    assert pytests == ["kamiyo_verify.plugin"]
""",
    )
    ran = toy.run("-m", "postdeploy", "-W", "error")

    assert ran.statuses == {"postdeploy.health": "passed"}, ran.out
