"""Every page can be followed: its commands run as it says, its links lead somewhere, its names exist."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from pydantic import BaseModel

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.mistakes import table_within
from kamiyo_verify.model.words import Phase
from sandbox.faults import FAULTS
from tests.another_platform.stand_in import FAULTS as STAND_IN_FAULTS
from tests.support.clone import Clone
from tests.support.documents import PROGRAMS, ROOT, Command, Page, pages

PAGES = pages()
EACH_PAGE = pytest.mark.parametrize("page", [*PAGES.values()], ids=[*PAGES])

# What is not run, by how it begins; a page says so of other blocks, and why, in a comment above them.
NOT_RUN = {
    "git clone": "asks the internet",
    "apt-get": "changes the machine",
    "make browser": "asks a package index",
    "make lock": "asks a package index",
    "make setup": "is what the copy has had",
    "make test": "is what runs this",
    "make exhaustive": "runs this",
    "make lint": "CI runs it",
    "make mutation": "an hour",
    "make bench": "measures for minutes, alone on its machine",
    "make calibrate": "a minute of both cores: tests/engine/calibration/test_calibration.py draws fewer",
    "python -m tests.benchmarks.latency": "measures for minutes, alone on its machine",
}
MOST_NOT_RUN = 30
"""Commands of all pages together: a page whose commands are not run is worth little."""

CHEAP = re.compile(r"(cd|cp|mkdir|export|\.|cat|sed) .*|.* --plan\b|.*(-h|--help)\b|make help\b", re.DOTALL)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone.in_(tmp_path_factory.mktemp("quick"))


RUN_ELSEWHERE = {"docs/another-platform.md": "tests/e2e/test_tutorial.py follows it, with a package index"}
"""Pages whose commands another test runs, all of them."""


def why_not(command: Command) -> str:
    """Why a command is not run here; "" where it is."""
    if command.page in RUN_ELSEWHERE:
        return RUN_ELSEWHERE[command.page]
    known = (why for beginning, why in NOT_RUN.items() if command.text.startswith(beginning))
    return command.why_not or next(known, "")


def commands_of(page: Page) -> list[Command]:
    return [command for command in page.commands() if not why_not(command)]


def followed(clone: Clone, commands: list[Command]) -> None:
    for ran in clone.follow(commands):
        command = ran.command
        assert ran.code == command.exit, (
            f"{command.where}\nexit {ran.code}, not {command.exit}:\n{ran.output}"
        )


# Commands.


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "page", [page for page in PAGES.values() if commands_of(page)], ids=lambda page: page.name
)
def test_a_page_can_be_followed_from_top_to_bottom(page: Page, tmp_path: Path) -> None:
    followed(Clone.in_(tmp_path), commands_of(page))


def test_the_first_thing_that_a_reader_tries_works(clone: Clone) -> None:
    demo = next(
        command for command in commands_of(PAGES["README.md"]) if command.text.startswith("make demo")
    )
    followed(clone, [demo])


def test_what_costs_little_is_run_each_time(clone: Clone) -> None:
    for page in PAGES.values():
        cheap = [command for command in commands_of(page) if CHEAP.fullmatch(command.text)]
        if any(" -" in command.text for command in cheap):
            followed(clone, cheap)


def test_few_commands_are_not_run() -> None:
    pages = [page for name, page in PAGES.items() if name not in RUN_ELSEWHERE]
    commands = [command for page in pages for command in page.commands()]
    skipped = [f"{command.where} – {why}" for command in commands if (why := why_not(command))]
    assert len(skipped) <= MOST_NOT_RUN, "\n".join(skipped)
    begun = tuple(NOT_RUN)
    idle = {begin for begin in begun if not any(command.text.startswith(begin) for command in commands)}
    assert not idle, f"no page has a command that begins with {idle}"


@EACH_PAGE
def test_every_program_and_target_of_a_command_exists(page: Page) -> None:
    for command in page.commands():
        for line in command.text.splitlines():
            words = line.split()
            while words and re.fullmatch(r"[A-Z][A-Z0-9_]*=.*", words[0]):
                words.pop(0)
            if words and words[0] == "make":
                assert words[1:2] == [] or words[1] in targets(), f"{command.where}: no such target"
            for module in re.findall(r"python -m ([\w.]+)", line):
                assert module_exists(module), f"{command.where}: no module {module}"
            for fault in re.findall(r"--fault[ =](\S+)", line):
                assert fault in {*FAULTS, *taught(page)}, f"{command.where}: nobody has a fault {fault}"
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line.partition("#")[0]):
                known = option in options() or words[0] in {*PROGRAMS} - {"make", "pytest", "python"}
                assert known, f"{command.where}: no option {option}"


def test_what_make_offers_is_what_its_help_lists() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    everything = listed + "".join(page.text for page in PAGES.values())
    missing = [target for target in targets() if not re.search(rf"\b{re.escape(target)}\b", everything)]
    assert not missing, f"neither `make help` nor a page tells of: {missing}"


# Links.


@EACH_PAGE
def test_every_link_within_the_project_leads_somewhere(page: Page) -> None:
    for link in page.links():
        if re.match(r"[a-z]+:", link.target):
            assert link.target.startswith(("https://", "mailto:")), f"{page.name}:{link.line}: {link.target}"
            continue
        path, _, anchor = unquote(link.target).partition("#")
        target = (page.folder / path).resolve() if path else ROOT / page.name
        assert target.exists(), f"{page.name}:{link.line}: there is no {path}"
        if anchor and target.suffix == ".md":
            name = target.relative_to(ROOT).as_posix()
            known = Page(name, target.read_text(encoding="utf-8")).anchors()
            assert anchor in known, (
                f"{page.name}:{link.line}: {name} has no #{anchor}; it has {sorted(known)}"
            )


def test_every_page_is_linked_to_from_the_readme() -> None:
    linked = {link.target.partition("#")[0] for link in PAGES["README.md"].links()}
    unlinked = [name for name in PAGES if name != "README.md" and name not in linked]
    assert not unlinked, f"nobody finds {unlinked} from README.md"


# Names.


@pytest.mark.parametrize(
    "page", [page for name, page in PAGES.items() if name != "docs/names.md"], ids=lambda page: page.name
)
def test_every_name_in_backticks_exists(page: Page) -> None:
    wrong = [
        f"{page.name}:{line}: `{name}`: {why}"
        for line, name in page.code_spans()
        if (why := unknown(name)) and f"run: append {name}" not in page.text
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def unknown(name: str) -> str:
    """Why nobody finds what a page calls by this name; "" where they do, or where it is no such name."""
    match name.split():
        case ["make", target, *_] if target not in targets() and re.fullmatch(r"[a-z][a-z-]*", target):
            return "make has no such target"
        case ["python", "-m", module, *_] if not module_exists(module):
            return "there is no such module"
        case [option, *_] if re.match(r"--[a-z]", option) and option.partition("=")[0] not in options():
            return "no command of this project has that option"
    if re.fullmatch(r"[A-Z][A-Z0-9]*_[A-Z0-9_]*", name) and name not in all_text():
        return "no file of this project names that variable"
    if item := re.fullmatch(rf"(?:{'|'.join(Phase)})\.[a-z0-9-]+", name):
        return "" if item[0] in item_ids() or Path(item[0]).suffix in _SUFFIXES else "no item has this id"
    if table := re.fullmatch(r"\[([a-z_]+)\](?: ([a-z_]+))?", name):
        return _unknown_key(table[1], table[2] or "")
    if not re.search(r"[\s<>…{}$*]|\bITEM\b", name) and (
        re.match(r"[\w.-]+/", name) or re.search(_FILE, name)
    ):
        return "" if file_exists(name) else "there is no such file, and nothing here writes one"
    return ""


_SUFFIXES = {".toml", ".md", ".json", ".jsonl"}
_FILE = r"^[\w./-]+\.(py|toml|md|json|jsonl|xml|html|yml|yaml|css|lock|txt|sh|db)$"
_OF_THE_RUNBOOK = {
    *(
        "items",
        "slos",
        "policy",
        "suppliers",
        "remedies",
        "escalation",
        "contacts",
        "announcements",
        "services",
    ),
    *("log_patterns", "table"),
}


def _unknown_key(table: str, key: str) -> str:
    if table in _OF_THE_RUNBOOK:
        return ""
    if table not in Environment.model_fields:
        return "no environment has such a table"
    shape = table_within(Environment.model_fields[table].annotation)
    known = shape.model_fields if isinstance(shape, type) and issubclass(shape, BaseModel) else {}
    return "" if not key or key in known else f"[{table}] has no such key"


@cache
def targets() -> frozenset[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset({*re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE), *Phase})


@cache
def options() -> frozenset[str]:
    """Every option of a command of ours, and of pytest."""
    found = {
        node.value
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"--[a-z]", node.value)
    }
    of_pytest = {
        "--markers",
        "--collect-only",
        "--help",
        "--reruns",
        "--dist",
        "--durations",
        "--lf",
        "--fixtures",
    }
    ours = {option.partition("=")[0] for option in found}
    # argparse makes the contrary of those that may be switched off.
    return frozenset(ours | of_pytest | {option.replace("--", "--no-", 1) for option in ours})


@cache
def item_ids() -> frozenset[str]:
    runbook = tomllib.loads((ROOT / "runbook.toml").read_text(encoding="utf-8"))
    # The page about adding a check adds this one.
    return frozenset(
        {item["id"] for section in runbook["sections"] for item in section["items"]} | {"postdeploy.stats"}
    )


def taught(page: Page) -> list[str]:
    """The faults that a page adds, or that the platform which it builds has."""
    added = re.findall(r'^\+    "([a-z-]+)": "', page.text, re.MULTILINE)
    return added + ([*STAND_IN_FAULTS] if "tests/another_platform" in page.text else [])


@cache
def module_exists(module: str) -> bool:
    paths = [root / module.replace(".", "/") for root in (ROOT, ROOT / "plugins")]
    there = any(path.with_suffix(".py").is_file() or (path / "__main__.py").is_file() for path in paths)
    return there or module in {"pip", "pytest", "venv"}


@cache
def file_exists(name: str) -> bool:
    """A file or folder of the project or of the checkout that it verifies, or one that code here writes."""
    path = name.rstrip("/")
    if path.startswith("/"):
        return True
    if any((place / path).exists() for place in (ROOT, ROOT / "sandbox" / "kamiyo-project")):
        return True
    return any(f"/{one}".endswith(f"/{path}") for one in tree()) or Path(path).name in all_text()


@cache
def tree() -> tuple[str, ...]:
    folders = ("plugins", "checks", "sandbox", "tests", "docs", "environments", ".github")
    return tuple(path.relative_to(ROOT).as_posix() for one in folders for path in (ROOT / one).rglob("*.*"))


@cache
def all_text() -> str:
    """The project but for its pages."""
    others = [
        ROOT / name for name in ("Makefile", ".env.example", "pyproject.toml", ".gitignore", "runbook.toml")
    ]
    folders = [ROOT / "environments", ROOT / ".github", ROOT / "sandbox" / "kamiyo-project"]
    files = [
        path for folder in folders for path in folder.rglob("*") if path.suffix in {".toml", ".yml", ".json"}
    ]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*others, *files, *python_files()])


def python_files() -> Iterator[Path]:
    """What does something for a reader; the tests, which also name what must not be, do not count."""
    for folder in ("plugins", "checks", "sandbox"):
        yield from (ROOT / folder).rglob("*.py")
