"""The pytest entry point `kamiyo_verify`: load the engine only in projects that have a runbook.

pytest loads every installed plugin in every project. This plugin must not affect a project without a
runbook.toml, so it registers options, hooks and fixtures only after it finds one in the root directory.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import os
import sys
from collections.abc import Generator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import pytest

RUNBOOK = "runbook.toml"

_IDENTITY = "kamiyo_verify.hooks.identity"
_MISTAKES = "kamiyo_verify.hooks.collecting.option_mistakes"

PARTS = (
    _IDENTITY,
    "kamiyo_verify.hooks.garbage_collection",
    "kamiyo_verify.hooks.options",
    _MISTAKES,
    "kamiyo_verify.hooks.session_end.watch_after",
    "kamiyo_verify.hooks.collecting.markers",
    "kamiyo_verify.hooks.evidence",
    "kamiyo_verify.fixtures.clients",
    "kamiyo_verify.fixtures.browser",
    "kamiyo_verify.fixtures.checkout",
    "kamiyo_verify.integrations.git.fixtures",
    "kamiyo_verify.integrations.github.fixtures",
    "kamiyo_verify.integrations.nextauth.fixtures",
    "kamiyo_verify.integrations.pagerduty.fixtures",
    "kamiyo_verify.integrations.postgres.fixtures",
    "kamiyo_verify.integrations.prometheus.fixtures",
    "kamiyo_verify.integrations.render.fixtures",
    "kamiyo_verify.integrations.sentry.fixtures",
    "kamiyo_verify.integrations.statuspage.fixtures",
    "kamiyo_verify.integrations.stripe.fixtures",
    "kamiyo_verify.fixtures.release",
    "kamiyo_verify.fixtures.deploys",
    "kamiyo_verify.fixtures.rollback",
    "kamiyo_verify.fixtures.preflight",
    "kamiyo_verify.fixtures.monitoring",
    "kamiyo_verify.fixtures.attestations",
    "kamiyo_verify.fixtures.sampling",
    "kamiyo_verify.fixtures.sampled_services",
    "kamiyo_verify.fixtures.load",
    "kamiyo_verify.fixtures.deployment",
    "kamiyo_verify.fixtures.commits",
    "kamiyo_verify.hooks.verification",
    "kamiyo_verify.hooks.written_runbook.option",
)

_LOCUST = "locust"
"""Locust's own pytest plugin. Load runs in other processes, and gevent must never come into this one."""


class _OrdinaryFinder:
    """Finds the engine's modules as Python does, past pytest's rewriting of assertions.

    pytest reads every module of an installed plugin through its own importer, which rewrites `assert`
    statements to explain themselves. The engine has none that a user could meet. That importer takes a tenth
    of the time of a short run, and far more where it cannot keep what it compiled, as in an image whose
    packages are read-only.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        ours = name.startswith(f"{__package__}.")
        return PathFinder.find_spec(name, path, target) if ours else None


_FINDER = _OrdinaryFinder()


def pytest_addoption() -> None:
    """Open /dev/null if pytest was started without an output (`>&-`); otherwise it ends with exit code 1."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - to the end


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None]:
    """Register the parts of the engine, or refuse --env if there is no runbook.

    Raises:
        pytest.UsageError: the command line requests a verification, and there is no runbook.
    """
    folders = (early_config.rootpath, early_config.invocation_params.dir)
    if any((folder / RUNBOOK).is_file() for folder in folders):
        early_config.pluginmanager.set_blocked(_LOCUST)
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)
        for part in PARTS:
            early_config.pluginmanager.register(importlib.import_module(part), part)
        _read_paths_again(early_config, parser, args)
        yield
        mistakes = early_config.pluginmanager.get_plugin(_MISTAKES)
        if mistakes is not None:
            mistakes.refuse_unknown(early_config, parser, args)
        return None
    yield
    if any(word == "--env" or word.startswith("--env=") for word in args):
        try:
            parser.getgroup("kamiyo-verify").addoption("--env", dest="kamiyo_env")
        except (ValueError, argparse.ArgumentError):  # the project has an option of this name
            return None
        raise pytest.UsageError(
            f"--env: there is no {RUNBOOK} in {folders[0]}; run pytest in a project that has one"
        )
    return None


def _read_paths_again(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Know which words of the command line are paths, now that our options are known.

    Until then the value of `--report-dir FOLDER` counts as a path of tests. Where that folder exists, pytest
    would look for conftest.py there and meet the project's own too late.
    """
    try:
        known = parser.parse_known_args(args, namespace=copy.copy(config.option))
    except pytest.UsageError as error:
        mistakes = config.pluginmanager.get_plugin(_MISTAKES)  # loaded only in projects with a runbook
        raise pytest.UsageError(mistakes.on_one_line(str(error)) if mistakes else str(error)) from None
    config.known_args_namespace.file_or_dir = known.file_or_dir


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> pytest.ExitCode | int | None:
    """Start pytest again with the configuration of the invocation folder, if pytest did not find it.

    pytest searches for its configuration above every path on the command line. Before it knows our options,
    it treats their values as paths: `pytest --runbook ../RUNBOOK.md --plan` would miss pyproject.toml.
    """
    folder = config.invocation_params.dir
    settings = folder / "pyproject.toml"
    if _is_worker(config):
        return None  # a worker joins its controller's run, with any configuration
    if not missed(config.inipath, settings):
        return None
    arguments = ["-c", str(settings), *config.invocation_params.args]
    return pytest.main(arguments, plugins=list(config.invocation_params.plugins or ()))


def missed(found: Path | None, settings: Path) -> bool:
    """Return whether pytest found no configuration, but the invocation folder is a project with a runbook."""
    return found is None and settings.is_file() and (settings.parent / RUNBOOK).is_file()


def _is_worker(config: pytest.Config) -> bool:
    identity = config.pluginmanager.get_plugin(_IDENTITY)  # loaded only in projects with a runbook
    return identity is not None and bool(identity.is_worker(config))
