"""Mistakes on the command line, found before anything is collected, started or written: one line each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.mistakes import did_you_mean
from kamiyo_verify.hooks.collecting.expressions import names_in, problem_of
from kamiyo_verify.hooks.options import Mode, Options, argument_paths, asks_only, verification_roots
from kamiyo_verify.model.words import Phase

_PHASES = f"the phases are: {', '.join(Phase)}"
_OF_CHECKS = ("plan", "baseline", "runbook", "commit", "fault", "launched")
"""Options that mean something for checks alone."""


def refuse_mistakes(config: pytest.Config, mode: Mode) -> None:
    """Refuse a command line that names something unknown.

    Raises:
        pytest.UsageError: the first mistake, on one line.
    """
    problem = next(_problems(config, mode), None)
    if problem is not None:
        raise pytest.UsageError(problem)


def refuse_no_phase(config: pytest.Config) -> None:
    """Refuse a verification that selects nothing at all, and so every phase, before and after a deployment.

    Raises:
        pytest.UsageError: the command line names neither a phase nor a path nor a test.
    """
    if not (config.option.markexpr or _narrowed(config)):
        raise pytest.UsageError(f"name the phase to verify, such as pytest -m {Phase.POSTDEPLOY}; {_PHASES}")


def refuse_unknown_stays(options: Options, environment: Environment) -> None:
    """Refuse `--stays` with a service that the environment does not have.

    Raises:
        ConfigurationError: there is such a service.
    """
    for service in options.stays:
        if service not in environment.services:
            meant = did_you_mean(service, environment.services) or ";"
            raise ConfigurationError(
                f"--stays {service}: {environment.name} has no such service{meant} it has"
                f" {', '.join(environment.services)}"
            )


def on_one_line(problem: str) -> str:
    """Return a message with a single mistake on one line."""
    first, _, mistake = problem.partition(": 1 mistake\n")
    return f"{first}: {mistake.strip()}" if mistake and "\n" not in mistake.strip() else problem


def _problems(config: pytest.Config, mode: Mode) -> Iterator[str]:
    yield from _paths(config)
    expression = config.option.markexpr
    named = [phase for phase in Phase if phase in names_in(expression)]
    if mode is Mode.OFF:
        if not _given_paths(config) and (named or _nothing_here(config)):
            yield _elsewhere(config, expression)
        elif option := next((name for name in _OF_CHECKS if config.getoption(name)), ""):
            yield _without_checks(config, option)
        return
    join = "is not a complete expression; join"
    if wrong := problem_of(expression, of_marks=True):
        yield f'-m "{expression}": {join} phases by and, or, not: it {wrong}; {_PHASES}'
    elif wrong := problem_of(keyword := config.option.keyword, of_marks=False):
        yield f'-k "{keyword}": {join} names by and, or, not: it {wrong}'
    else:
        yield from _marks(config, expression)


def _given_paths(config: pytest.Config) -> bool:
    return config.args_source is pytest.Config.ArgsSource.ARGS


def _narrowed(config: pytest.Config) -> bool:
    """Return whether the command line selects tests in another way than by phase."""
    option = config.option
    again = getattr(option, "lf", False) or getattr(option, "failedfirst", False)
    return _given_paths(config) or bool(option.keyword) or bool(again)


def _nothing_here(config: pytest.Config) -> bool:
    """Return whether a run in a folder of the project, such as docs, would find no test at all."""
    start = config.invocation_params.dir
    below = start != config.rootpath and start.is_relative_to(config.rootpath)
    return below and not asks_only(config) and next(start.rglob("test_*.py"), None) is None


def _elsewhere(config: pytest.Config, expression: str) -> str:
    root = next(iter(verification_roots(config)))
    start = config.invocation_params.dir
    quoted = f'-m "{expression}"' if expression else ""
    problem = f"there are no checks in {start}; run it in {config.rootpath}, or as pytest"
    where = f"{os.path.relpath(root, start)} {quoted or f'-m {Phase.POSTDEPLOY}'}"
    return ": ".join(filter(None, (quoted, f"{problem} {where}")))


def _without_checks(config: pytest.Config, option: str) -> str:
    folders = ", ".join(map(str, config.getini("verification_paths")))
    shown = " ".join(config.args) or "what is named"
    return f"--{option.replace('_', '-')}: {shown} holds no checks; they are in {folders}"


def _paths(config: pytest.Config) -> Iterator[str]:
    if not _given_paths(config) or getattr(config.option, "pyargs", False):
        return
    for argument, path in zip(config.args, argument_paths(config), strict=True):
        if not path.exists():
            known = {os.path.relpath(found, config.invocation_params.dir) for found in _checks(config)}
            given = argument.partition("::")[0]
            yield f"{given}: there is no such file or folder{did_you_mean(given, known)}"


def _checks(config: pytest.Config) -> Iterator[Path]:
    for root in verification_roots(config):
        yield root
        yield from (path for path in root.glob("*") if path.is_dir() and path.name in {*Phase})
        yield from root.rglob("test_*.py")


def _marks(config: pytest.Config, expression: str) -> Iterator[str]:
    known = {*_registered(config.getini("markers")), *Phase}
    for name in sorted(names_in(expression) - known):
        meant = did_you_mean(name, sorted(known))
        if meant or not _may_register_marks(config):
            yield f'-m "{expression}": there is no mark "{name}"{meant or ";"} {_PHASES}'


def _may_register_marks(config: pytest.Config) -> bool:
    """Return whether a conftest.py, or a plugin of the command line, may still register marks of its own."""
    given = set(config.option.plugins)
    return any(
        hasattr(plugin, "pytest_configure")
        for name, plugin in config.pluginmanager.list_name_plugin()
        if name in given or name.endswith("conftest.py")
    )


def _registered(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield re.split(r"[(:]", line, maxsplit=1)[0].strip()
