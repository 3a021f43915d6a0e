"""The container image's definition: linted, pinned, without root, and enough to build the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Each instruction and its arguments, with continued lines joined."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def copied() -> Iterator[str]:
    """What the image takes from this repository."""
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            yield from rest.split()[:-1]


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: make setup brings it")
    return subprocess.run([hadolint, str(path)], capture_output=True, text=True, check=False)


def test_the_linter_has_no_complaint() -> None:
    linted = lint(DOCKERFILE)
    assert linted.returncode == 0, linted.stdout


def test_the_linter_would_complain(tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    broken.write_text(DOCKERFILE.read_text().replace("# hadolint ignore=DL3008\n", "") + "USER root\n")
    complaints = lint(broken).stdout
    assert "DL3008" in complaints
    assert "DL3002" in complaints


def test_the_base_is_pinned_by_digest() -> None:
    [base] = [rest for word, rest in instructions() if word == "ARG"]
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)
    assert {rest.split()[0] for word, rest in instructions() if word == "FROM"} == {"${BASE}"}


def test_it_runs_without_root() -> None:
    assert [rest for word, rest in instructions() if word == "USER"] == ["10001"]


def test_packages_are_installed_by_hash() -> None:
    installs = re.findall(r"bin/pip install (.*?)(?: &&|$)", DOCKERFILE.read_text(), re.MULTILINE)
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)


def test_the_builder_is_sent_what_is_copied_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert sent == set(copied())
    assert all((ROOT / name).exists() for name in sent)


@pytest.mark.exhaustive
def test_the_package_builds_of_what_is_copied(tmp_path: Path) -> None:
    for name in copied():
        source, target = ROOT / name, tmp_path / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*build, "--wheel-dir", tmp_path, tmp_path / "source"], check=True, capture_output=True)
    assert [*tmp_path.glob("kamiyo_verify-*.whl")]
