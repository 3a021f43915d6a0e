"""The house stays in order: who may import whom, how long a module may be, and which words are retired."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kamiyo_verify.plugin import PARTS
from tests.support.exhaustive import LEFT_OUT

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "plugins"
LONGEST = 250
MOST_FILES = 25
V = "kamiyo_verify"

# What each package may import of ours, and which libraries besides the standard one (None: any). Every folder
# stands here by its name; a module belongs to the longest prefix that matches.
_CORE = {f"{V}.model"}
_ENGINE = {V}
HOUSE: dict[str, tuple[set[str], set[str] | None]] = {
    "conftest": (set(), {"pytest"}),
    V: (set(), set()),
    f"{V}.plugin": (set(), {"pytest"}),
    f"{V}.model": (_CORE, {"pydantic"}),
    f"{V}.masking": (_CORE | {f"{V}.masking"}, None),
    f"{V}.processes": (_CORE | {f"{V}.processes"}, set()),
    f"{V}.judge": (_CORE | {f"{V}.judge"}, set()),
    f"{V}.http": (_CORE | {f"{V}.http", f"{V}.masking"}, None),
    f"{V}.sampling": (_CORE | {f"{V}.sampling", f"{V}.http", f"{V}.judge.statistics"}, {"httpx2"}),
    f"{V}.integrations": (_CORE, set()),
    **{
        f"{V}.integrations.{name}": (
            _CORE | {f"{V}.http", f"{V}.processes", f"{V}.integrations.{name}"},
            None,
        )
        for name in sorted(path.name for path in (SOURCES / V / "integrations").iterdir() if path.is_dir())
    },
    f"{V}.checks": (
        _CORE | {f"{V}.checks", f"{V}.http", f"{V}.integrations.websocket", f"{V}.sampling.samples"},
        {"pytest"},
    ),
    **{
        f"{V}.integrations.{name}.fixtures": (
            _CORE | {f"{V}.config", f"{V}.http", f"{V}.processes", f"{V}.integrations.{name}"},
            {"pytest"},
        )
        for name in sorted(path.parent.name for path in (SOURCES / V / "integrations").glob("*/fixtures.py"))
    },
    f"{V}.config": (_CORE | {f"{V}.config", f"{V}.integrations"}, None),
    f"{V}.evidence": (_CORE | {f"{V}.evidence", f"{V}.judge", f"{V}.masking"}, None),
    f"{V}.ledger": (_CORE | {f"{V}.ledger", f"{V}.judge", f"{V}.evidence"}, {"pydantic", "sqlalchemy"}),
    f"{V}.ledger.migrations": (_CORE, {"alembic", "sqlalchemy"}),
    f"{V}.ledger.parquet": (_CORE | {f"{V}.ledger"}, {"pyarrow"}),
    f"{V}.ledger.revisions": (set(), {"alembic", "sqlalchemy"}),
    f"{V}.reporting": (_CORE | {f"{V}.reporting", f"{V}.judge"}, {"jinja2", "markupsafe", "pygal"}),
    f"{V}.reporting.exports": (_CORE | {f"{V}.reporting"}, {"prometheus_client"}),
    f"{V}.notifications": (_CORE | {f"{V}.notifications", f"{V}.processes", f"{V}.reporting"}, None),
    f"{V}.calibration": (_CORE | {f"{V}.calibration", f"{V}.judge"}, set()),
    f"{V}.hooks": (_ENGINE, None),
    f"{V}.fixtures": (_ENGINE, None),
    f"{V}.rollback": (_ENGINE, None),
    f"{V}.webhook": (_ENGINE, None),
    f"{V}.cli": (_ENGINE, None),
    "kamiyo_platform": (
        {"kamiyo_platform"}
        | {
            f"{V}.{part}"
            for part in ("model", "http", "integrations", "sampling", "config", "checks", "fixtures", "hooks")
        }
        | {f"{V}.judge.preflight", f"{V}.judge.slo"},
        None,
    ),
    "checks": (_CORE | {f"{V}.checks"}, {"pytest"}),
    "sandbox": ({"sandbox"}, None),
    "tests": ({V, "kamiyo_platform", "sandbox", "tests"}, None),
}
OURS = {V, "kamiyo_platform", "checks", "sandbox", "tests", "conftest"}
# `judge` decides from evidence alone.
NO_SENSES = {"time", "socket", "subprocess", "os", "pathlib", "random", "threading", "urllib.request"}


def modules() -> Iterator[Path]:
    for folder in ("plugins", "checks", "sandbox", "tests"):
        yield from sorted(
            path
            for path in (ROOT / folder).rglob("*.py")
            if not path.is_relative_to(ROOT / "tests" / "another_platform")
        )
    yield ROOT / "conftest.py"


def dotted(path: Path) -> str:
    base = SOURCES if path.is_relative_to(SOURCES) else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, level=0, names=names) if module:
                yield from (f"{module}.{name.name}" for name in names) if module in OURS else (module,)
            case ast.ImportFrom(level=level) if level:
                pytest.fail(f"{path.name}: a relative import hides which way the arrow points")


def package_of(module: str) -> str:
    return max((name for name in HOUSE if within(module, name)), key=len)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def test_imports_follow_the_arrows() -> None:
    assert [line for path in modules() for line in wrong_imports(path)] == []


def wrong_imports(path: Path) -> Iterator[str]:
    """Yield a sentence for each import of a module that the house does not allow."""
    module = dotted(path)
    ours_allowed, libraries = HOUSE[package_of(module)]
    for name in imports(path):
        top = name.partition(".")[0]
        if top in OURS:
            allowed = any(within(name, one) for one in ours_allowed)
        else:
            allowed = top in sys.stdlib_module_names or libraries is None or top in libraries
        if not allowed:
            yield f"{module} must not import {name}"
        if name.startswith("_pytest"):
            yield f"{module} imports {name}, which is private to pytest"
        leaf = name.rpartition(".")[2]
        if top in OURS and module.partition(".")[0] != "tests" and leaf.startswith("_"):
            yield f"{module} imports {name}, which is private"


def test_a_folder_that_is_not_named_here_may_import_nothing_of_ours() -> None:
    assert package_of(f"{V}.unheard_of.module") == V
    assert HOUSE[V] == (set(), set())
    with pytest.raises(ValueError, match="empty"):
        package_of("another_package.module")


def test_every_folder_of_the_engine_is_fenced_by_name() -> None:
    folders = {dotted(path / "__init__.py") for path in (SOURCES / V).iterdir() if path.is_dir()}
    assert {name for name in folders if not name.endswith("__pycache__")} <= HOUSE.keys()


def test_pytest_loads_the_fixtures_of_every_integration() -> None:
    held = {dotted(path) for path in (SOURCES / V / "integrations").glob("*/fixtures.py")}
    assert held == {part for part in PARTS if within(part, f"{V}.integrations")}


def test_the_source_root_holds_two_packages() -> None:
    held = {path.name for path in SOURCES.iterdir() if path.name != "__pycache__"}
    assert {name for name in held if not name.endswith(".egg-info")} == {V, "kamiyo_platform"}


def test_no_module_lies_flat_in_the_engine() -> None:
    assert {path.name for path in (SOURCES / V).glob("*.py")} == {"__init__.py", "plugin.py"}


def test_no_folder_is_too_full_to_be_read() -> None:
    full = {
        str(folder.relative_to(ROOT)): count
        for folder in SOURCES.rglob("*")
        if folder.is_dir() and (count := len([*folder.glob("*.py")])) > MOST_FILES
    }
    assert full == {}


def test_the_judge_does_no_input_or_output() -> None:
    """And reads no clock."""
    judge = {dotted(path): path for path in modules() if within(dotted(path), f"{V}.judge")}
    senses = {module: NO_SENSES.intersection(imports(path)) for module, path in judge.items()}
    assert len(senses) > MOST_FILES
    assert {module: found for module, found in senses.items() if found} == {}


def test_modules_can_be_read_in_one_sitting() -> None:
    """Over the limit, a module wants a reason and a split; tests may be as long as what they test needs."""
    sources = [path for path in modules() if not within(dotted(path), "tests")]
    lines = {dotted(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert {module: count for module, count in lines.items() if count > LONGEST} == {}


def test_no_modules_import_each_other() -> None:
    """A circle of imports at module level; those inside functions are made when both modules are there."""
    known = {dotted(path): path for path in modules()}
    edges = {name: {*top_level_imports(path, known)} - {name} for name, path in known.items()}
    while leaves := {name for name, targets in edges.items() if not targets & edges.keys()}:
        edges = {name: targets for name, targets in edges.items() if name not in leaves}
    assert sorted(edges) == []


def top_level_imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in tree_of(path).body:
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names) if module:
                for name in names:
                    full = f"{module}.{name.name}"
                    yield full if full in known else module


RETIRED = {
    *("Manner", "Hands", "Narrator", "Wish", "Tape", "Trip", "Heard", "Told", "Blame", "Deed", "Trouble"),
    *(
        "Standing",
        "Sending",
        "Look",
        "Picture",
        "Later",
        "Whereabouts",
        "LedgerOfRun",
        "Surroundings",
        "Deserves",
    ),
    *("Chronicle", "Dossier", "chronicle", "dossier", "way_back", "going_back", "place_back"),
    *("tour", "vital_signs", "told_by_page", "taken_back", "commit_asked", "truer", "by_hand", "by_clock"),
}
"""Names that have a better word; docs/names.md says which."""

TELLING = re.compile(r"_?(?:told|asked|said|heard)(?:_\w+)?|\w+_(?:told|asked|said|heard)")
"""Functions are named by what they return or do: `format_…`, `describe_…`, `message`, `request`."""

NAMES_THE_OLD = {
    "kamiyo_verify.config.runbook_keys",
    "tests.engine.config.test_runbook_mistakes",
    "tests.test_house",
}


def identifiers(tree: ast.Module) -> Iterator[str]:
    """Yield each name that a module defines, reads or calls."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
                if TELLING.fullmatch(name) and not name.startswith("test_"):
                    yield f"def {name}"


def test_retired_words_stay_retired() -> None:
    """docs/names.md has the words for them."""
    names = {dotted(path): {*identifiers(tree_of(path))} for path in modules()}
    found = {
        module: sorted(name for name in used if name in RETIRED or name.startswith("def "))
        for module, used in names.items()
        if module not in NAMES_THE_OLD
    }
    assert {module: retired for module, retired in found.items() if retired} == {}


def test_what_is_left_out_of_make_test_exists() -> None:
    for name, functions in LEFT_OUT.items():
        defined = {
            node.name for node in tree_of(ROOT / "tests" / name).body if isinstance(node, ast.FunctionDef)
        }
        assert functions.keys() <= defined, f"{name} has no {', '.join(functions.keys() - defined)}"


def test_the_lock_file_holds_hashes_and_no_addresses() -> None:
    locks = sorted(path.name for path in ROOT.glob("requirements*.lock"))
    assert len(locks) == 4
    for name in locks:
        lock = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in lock
        for mark in ("://", "--index", "--find-links", "--extra-index", " @ ", "file:"):
            assert mark not in lock, f"{name} holds {mark!r}"
