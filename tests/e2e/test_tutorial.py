"""docs/another-platform.md, followed from top to bottom: devpi from a package index, and what is printed."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.clone import Clone, Ran
from tests.support.documents import ROOT, Page

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(600)]

NAME = "docs/another-platform.md"
# What differs from one run to the next.
_VARIES = (
    (r"\b\d{8}T\d{6}Z-[\w-]+", "RUN"),
    (r"\b\d[\d.]* (ms|s|min)\b", "TIME"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "THEN"),
    (r"/\S*/devpi\b", "FOLDER"),
    (r"\bin [\d.]+s\b", "TIME"),
    (r"[─=\s-]{2,}", " "),
)


def page(port: int) -> Page:
    return Page(NAME, (ROOT / NAME).read_text(encoding="utf-8").replace("3141", str(port)))


def online() -> dict[str, str]:
    """The variables by which pip finds its index; a proxy that is none of the tests' own is taken away."""
    proxies = {name: os.environ.get(name, "") for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")}
    return {**proxies, **{name: value for name, value in os.environ.items() if name.startswith("PIP_")}}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, list[Ran]]]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    clone = Clone.in_(tmp_path_factory.mktemp("reader"))
    clone = replace(clone, more={**online(), "PORT": str(port), "COLUMNS": "120"})
    read = page(port)
    yield read, clone.follow([*read.commands()])
    subprocess.run([clone.folder.parent / "devpi" / "deployctl", "stop"], check=False)


def test_every_command_ends_as_the_page_says(followed: tuple[Page, list[Ran]]) -> None:
    for ran in followed[1]:
        assert ran.code == ran.command.exit, f"{ran.command.where}\n{ran.output}"


def without_what_varies(text: str) -> list[str]:
    for pattern, word in _VARIES:
        text = "\n".join(re.sub(pattern, word, line) for line in text.splitlines())
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_what_the_page_prints_was_printed(followed: tuple[Page, list[Ran]]) -> None:
    read, ran = followed
    printed = without_what_varies("\n".join(one.output for one in ran))
    blocks = re.findall(r"```text\n(.*?)```", read.text, re.DOTALL)
    assert len(blocks) == 5
    missing = [line for block in blocks for line in without_what_varies(block) if line not in printed]
    assert not missing, "\n".join([*missing, "", "was printed:", *printed])


def test_no_password_is_printed(followed: tuple[Page, list[Ran]]) -> None:
    assert not [one.command.where for one in followed[1] if "open-sesame-1" in one.output]


def test_what_the_page_says_of_its_files_is_so() -> None:
    one, two = ((ROOT / "tests" / "devpi_host" / "releases" / name).read_text() for name in ("v1", "v2"))
    changed = [line for line in two.splitlines() if line not in one.splitlines()]
    assert changed == ["DATA=date"]
    assert Path(ROOT / "tests" / "devpi_host" / "add-users").read_text().split(" in ")[1].count(" ") >= 11
