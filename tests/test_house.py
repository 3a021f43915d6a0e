"""The house stays in order: who may import whom, and how long a module may be."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 250

# What each part of the house may import of the others, and which libraries besides the standard one
# (None: any). The longest prefix that matches a module decides.
HOUSE: dict[str, tuple[set[str], set[str] | None]] = {
    "conftest": (set(), set()),
    "plugins.model": ({"plugins.model"}, {"pydantic"}),
    "plugins.judge": ({"plugins.model", "plugins.judge"}, set()),
    "plugins.writers": ({"plugins.model", "plugins.writers"}, {"jinja2", "markupsafe", "pygal"}),
    "plugins.clients": ({"plugins.model", "plugins.clients"}, None),
    "plugins.ledger": ({"plugins.model", "plugins.ledger"}, {"pydantic", "sqlalchemy"}),
    "plugins.ledger.__main__": ({"plugins"}, None),
    "plugins.rollback": ({"plugins"}, None),
    "plugins.pages": ({"plugins"}, None),
    "plugins": ({"plugins"}, None),
    "checks": ({"plugins.model"}, {"pytest"}),
    "sandbox": ({"sandbox"}, None),
    "tests": ({"plugins", "sandbox", "tests"}, None),
}
OURS = {"plugins", "checks", "sandbox", "tests", "conftest"}
# `judge` decides from evidence alone.
NO_SENSES = {"time", "socket", "subprocess", "os", "pathlib", "random", "threading", "urllib.request"}


def modules() -> Iterator[Path]:
    for folder in ("plugins", "checks", "sandbox", "tests"):
        yield from sorted((ROOT / folder).rglob("*.py"))
    yield ROOT / "conftest.py"


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, level=0, names=names) if module:
                yield from (f"{module}.{name.name}" for name in names) if module in OURS else (module,)
            case ast.ImportFrom(level=level) if level:
                pytest.fail(f"{path.name}: a relative import hides which way the arrow points")


def room_of(module: str) -> str:
    return max((room for room in HOUSE if within(module, room)), key=len)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


@pytest.mark.parametrize("path", [*modules()], ids=dotted)
def test_imports_follow_the_arrows(path: Path) -> None:
    module = dotted(path)
    ours_allowed, libraries = HOUSE[room_of(module)]
    for name in imports(path):
        top = name.partition(".")[0]
        if top in OURS:
            assert any(within(name, allowed) for allowed in ours_allowed), f"{module} must not import {name}"
        elif top not in sys.stdlib_module_names:
            assert libraries is None or top in libraries, f"{module} must not import {name}"
        assert not name.startswith("_pytest"), f"{module} imports {name}, which is private to pytest"


@pytest.mark.parametrize(
    "path", [path for path in modules() if within(dotted(path), "plugins.judge")], ids=dotted
)
def test_the_judge_has_no_senses(path: Path) -> None:
    assert NO_SENSES.isdisjoint(imports(path)), "judge does no I/O and reads no clock"


@pytest.mark.parametrize("path", [*modules()], ids=dotted)
def test_modules_can_be_read_in_one_sitting(path: Path) -> None:
    if within(dotted(path), "tests"):
        pytest.skip("tests may be as long as what they test needs")
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{path.name} has {lines} lines: over {LONGEST} it wants a reason and a split"


def test_the_lock_file_holds_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in lock
    for mark in ("://", "--index", "--find-links", "--extra-index", " @ ", "file:"):
        assert mark not in lock, f"the lock file holds {mark!r}"
