"""Preconditions of a verification: if one is missing, pytest ends with exit code 4 (usage error)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from kamiyo_verify.hooks import options
from kamiyo_verify.hooks.options import Mode, mode_of

_CONFIRMING = {"rerunfailures": "pytest-rerunfailures", "timeout": "pytest-timeout"}
"""Required plugins, by their names in pytest: they repeat failed checks and limit their duration."""

_LOCAL_KEYS = {"popen", "chdir", "nice", "execmodel", "id", "dont_write_bytecode"}
"""The keys of a gateway of pytest-xdist that stays here; `python` may hold any command, such as ssh."""


def check_preconditions(config: pytest.Config) -> None:
    """Refuse options and settings that make a verdict unreliable.

    Raises:
        pytest.UsageError: the first problem, on one line.
    """
    if not config.pluginmanager.is_registered(options):
        raise pytest.UsageError(f"{options.__name__} is not loaded: take away -p no:{options.__name__}")
    if mode_of(config) is Mode.OFF:
        return
    problem = next(_problems(config), None)
    if problem is not None:
        raise pytest.UsageError(problem)


def refuse_without_assertions() -> None:
    """Refuse to run if Python removes `assert` statements, because every check would pass.

    Raises:
        pytest.UsageError: Python removes them.
    """
    if sys.flags.optimize:
        raise pytest.UsageError(
            "Python runs without assertions (-O or PYTHONOPTIMIZE), and every check would pass"
        )


def _conftest_problems(config: pytest.Config) -> Iterator[str]:
    """The project's own fixtures and hooks come with its conftest.py, and a check may need any of them."""
    for option, given in (("--noconftest", "noconftest"), ("--confcutdir", "confcutdir")):
        if getattr(config.option, given, None):
            yield f"{option}: conftest.py would not be read, and checks rely on it: start it without"
    if not (config.rootpath / "conftest.py").is_file():
        yield f"conftest.py is missing in {config.rootpath}: create one; an empty file will do"


def _problems(config: pytest.Config) -> Iterator[str]:
    refuse_without_assertions()
    from kamiyo_verify.hooks import evidence, verification  # noqa: PLC0415 - only a verification needs them

    manager = config.pluginmanager
    if missing := [one.__name__ for one in (evidence, verification) if not manager.is_registered(one)]:
        options_to_remove = " ".join(f"-p no:{name}" for name in missing)
        yield f"{', '.join(missing)} not loaded, so no verdict would be made: remove {options_to_remove}"
    yield from _conftest_problems(config)
    for name, package in _CONFIRMING.items():
        if not manager.hasplugin(name):
            yield (
                f"{package} is not loaded: take away -p no:{name} and PYTEST_DISABLE_PLUGIN_AUTOLOAD, or"
                f" install it"
            )
    if getattr(config.option, "looponfail", False):
        yield "--looponfail repeats parts of a run, and a verdict needs all of one: start it without"
    if config.getoption("trace", default=False) or config.getoption("usepdb", default=False):
        yield "--trace and --pdb: a check that a debugger ends counts as passed: start it without"
    if config.getoption("dist", "no") == "each":
        yield "--dist=each runs every check several times, and one result would hide another: use -n NUMBER"
    if config.getoption("load") and config.getoption("dist", "no") != "no":
        yield "--load needs the platform for itself, and -n checks other things meanwhile: leave out -n"
    yield from _other_machines(config)


def _other_machines(config: pytest.Config) -> Iterator[str]:
    """A worker elsewhere has another network, and its verdict would be that of one bad network of many."""
    given = [("--px", spec) for spec in config.getoption("px", None) or ()]
    given += [("--tx", spec) for spec in config.getoption("tx", None) or () if not _is_local(spec)]
    for option, spec in given:
        shown = "//".join(word for word in spec.split("//") if not word.startswith("env:"))
        yield (
            f"{option} {shown}: checks run on this machine only, since another one has another network and"
            " would be sent the credentials: use -n NUMBER here, or start an ordinary run at each place and"
            " combine them (docs/places.md)"
        )


def _is_local(spec: str) -> bool:
    """Return whether a gateway is a child process on this machine, such as "2*popen//nice=5"."""
    keys = {word.partition("=")[0] for word in re.sub(r"^\d+\*", "", spec).split("//")}
    return "popen" in keys and all(key in _LOCAL_KEYS or key.startswith("env:") for key in keys)
