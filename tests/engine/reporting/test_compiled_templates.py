"""Compiled templates are kept for the next run, and are never anything but what compiling would give."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from kamiyo_verify.reporting.compiled_templates import CompiledTemplates
from kamiyo_verify.reporting.templating import TEMPLATES, templates

TEXT = "Hello {{ name }}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    (tmp_path / "page.html").write_text(TEXT, encoding="utf-8")
    return tmp_path


def rendered(folder: Path, settings: str = "1", name: str = "you") -> tuple[str, int]:
    """What a fresh process renders, and how many templates it compiles."""
    compiled = 0

    class Counting(Environment):
        def _generate(self, *arguments: object, **more: object) -> str:
            nonlocal compiled
            compiled += 1
            return str(super()._generate(*arguments, **more))  # type: ignore[arg-type]

    environment = Counting(
        autoescape=True, loader=FileSystemLoader(folder), bytecode_cache=CompiledTemplates(folder, settings)
    )
    return environment.get_template("page.html").render(name=name), compiled


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "__pycache__").glob("*")) if (folder / "__pycache__").is_dir() else []


def test_a_template_is_compiled_once(folder: Path) -> None:
    assert rendered(folder) == ("Hello you", 1)
    assert rendered(folder) == ("Hello you", 0)
    assert len(kept(folder)) == 1


def test_a_changed_template_is_compiled_anew(folder: Path) -> None:
    rendered(folder)
    (folder / "page.html").write_text("Bye {{ name }}", encoding="utf-8")
    assert rendered(folder) == ("Bye you", 1)
    assert rendered(folder) == ("Bye you", 0)


def test_other_settings_are_compiled_anew(folder: Path) -> None:
    rendered(folder)
    assert rendered(folder, settings="2") == ("Hello you", 1)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda whole: whole[:20], id="cut within the digest"),
        pytest.param(lambda whole: whole[:-1], id="cut at the end"),
        pytest.param(lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), id="a bit turned"),
        pytest.param(lambda whole: whole + b"x", id="longer"),
        pytest.param(lambda whole: bytes(32) + whole[32:], id="another digest"),
    ],
)
def test_a_damaged_file_is_as_good_as_none(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    rendered(folder)
    (path,) = kept(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert rendered(folder) == ("Hello you", 1)
    assert rendered(folder) == ("Hello you", 0)


def test_where_nothing_can_be_written_nothing_is_kept(folder: Path) -> None:
    (folder / "__pycache__").write_text("a file in the place of the folder", encoding="utf-8")
    assert [rendered(folder), rendered(folder)] == [("Hello you", 1), ("Hello you", 1)]


def test_python_can_be_told_to_keep_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert [rendered(folder), rendered(folder)] == [("Hello you", 1), ("Hello you", 1)]
    assert kept(folder) == []


def test_python_can_be_told_to_keep_it_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(folder / "elsewhere"))
    assert [rendered(folder), rendered(folder)] == [("Hello you", 1), ("Hello you", 0)]
    assert kept(folder) == []


def test_what_is_rendered_is_never_kept(folder: Path) -> None:
    rendered(folder, name="CaNaRy7Q")
    assert [path for path in kept(folder) if b"CaNaRy7Q" in path.read_bytes()] == []


def test_nothing_of_ours_runs_while_a_template_is_compiled() -> None:
    """Else what is kept would depend on more than the template."""
    used: list[object] = []

    def noted(value: object) -> object:
        used.append(value)
        return value

    environment = templates()
    environment.filters |= dict.fromkeys(("inert", "one_line", "counted", "upper"), noted)
    environment.tests |= {"odd": noted}
    constants = '{{ "a" }}{{ "b"|inert }}{{ 1 + 1 }}{{ "c"|upper|one_line }}{% if 3 is odd %}{% endif %}'
    environment.compile(constants)
    for template in sorted(TEMPLATES.glob("*.html")):
        environment.compile(template.read_text(encoding="utf-8"))
    assert used == []
    assert environment.from_string(constants).render() == "ab2c"
    assert used != []
