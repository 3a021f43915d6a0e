"""The command line: what a verification run is asked to do, and whether this is one at all."""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import pytest

from plugins.model.words import WebService

_COMMIT = re.compile(r"[0-9a-f]{7,40}")


class Mode(Enum):
    """What pytest was started for."""

    OFF = auto()
    """Something else: the project's own tests, --help, --markers."""
    COLLECT = auto()
    """Collect and validate the checks, run nothing (--collect-only)."""
    PLAN = auto()
    """Say what would be checked (--plan)."""
    VERIFY = auto()
    """Verify."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a verification run, validated.

    Attributes:
        overrides: addresses from the command line by their key in an environment file.
        report_dir: where the user wants the report; None for the default.
        attested: who says what, by the id of the item.
        deadline_s: seconds for the whole run; None for the default.
        notify: whether to tell the channels of this run; None means as the environment says.
        slos: the file of objectives to go by instead of the runbook's.
        launched: holds the ready line of a platform that is running already.
        executes: a verdict that calls for a rollback is carried out.
        stays: the services that a rollback left as they were on purpose.
    """

    environment: str
    overrides: dict[str, str]
    report_dir: Path | None
    plan: bool
    baseline: bool
    commit: str
    attested: dict[str, str]
    faults: tuple[str, ...]
    deadline_s: float | None
    notify: bool | None = None
    slos: Path | None = None
    launched: Path | None = None
    executes: bool = False
    stays: tuple[str, ...] = ()

    @staticmethod
    def of(config: pytest.Config) -> Options:
        """The options of this command line."""
        urls = {"api.url": config.getoption("api_url"), "frontend.url": config.getoption("frontend_url")}
        report_dir, slos = config.getoption("report_dir"), config.getoption("slos")
        launched = config.getoption("launched")
        return Options(
            environment=config.getoption("env"),
            overrides={key: url for key, url in urls.items() if url},
            report_dir=config.invocation_params.dir / report_dir if report_dir else None,
            plan=config.getoption("plan"),
            baseline=config.getoption("baseline"),
            commit=config.getoption("commit") or "",
            attested=dict(config.getoption("attest")),
            faults=tuple(config.getoption("fault")),
            deadline_s=config.getoption("deadline"),
            notify=config.getoption("notify"),
            slos=config.invocation_params.dir / slos if slos else None,
            launched=config.invocation_params.dir / launched if launched else None,
            executes=config.getoption("on_roll_back") == "execute",
            stays=tuple(config.getoption("stays")),
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a verification run, and where its checks live."""
    group = parser.getgroup("kamiyo-verify", "kamiyo-verify: deployment verification")
    add = group.addoption
    add("--env", default="sandbox", metavar="NAME", help="verify environments/NAME.toml (default: sandbox)")
    add("--api-url", metavar="URL", help="address of the API, instead of the environment's")
    add("--frontend-url", metavar="URL", help="address of the frontend, instead of the environment's")
    add("--report-dir", metavar="DIR", help="write the report here; default: reports/<env>/<time>-<commit>/")
    add(
        "--plan",
        action="store_true",
        help="say which items would be checked and which not, and why; run nothing",
    )
    add("--baseline", action="store_true", help="record this run as the state before the deployment")
    add(
        "--commit",
        type=_commit,
        metavar="SHA",
        help="the commit that should be answering (7 to 40 hex digits)",
    )
    add(
        "--attest",
        type=_attestation,
        action="append",
        default=[],
        metavar='ITEM="WHO: WHAT"',
        help="vouch for an item that only a person can check, such as"
        ' --attest preflight.migration-plan-reviewed="Ada: read all of it"; may be repeated',
    )
    add(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="start the sandbox with this fault, to see the suite find it; may be repeated",
    )
    add(
        "--deadline",
        type=_seconds,
        metavar="SECONDS",
        help="end the whole run after this time; what was not tried is then an error (default: 600, and where"
        " a deployment is waited for as long besides as it may take)",
    )
    add(
        "--notify",
        action=argparse.BooleanOptionalAction,
        help="tell the environment's channels of this run, whatever its phase, or do not; default: as"
        " [notifications] says",
    )
    add("--slos", metavar="FILE", help="an OpenSLO file whose objectives replace the runbook's")
    add(
        "--on-roll-back",
        choices=("advise", "execute"),
        default="advise",
        help="what to do where the verdict is to roll back (exit code 20): say so, or do it, which takes"
        " allow_rollback = true in the environment's file (default: advise)",
    )
    add(
        "--stays",
        action="append",
        default=[],
        choices=[*WebService],
        help="in the rollback phase: this service was left as it was on purpose; may be repeated",
    )
    add(
        "--launched",
        metavar="FILE",
        help="a platform of the environment's [launch] is running already, and FILE holds its ready line",
    )
    parser.addini(
        "verification_paths",
        "folders of checks, by phase; a run of anything else is no verification",
        type="args",
        default=["checks"],
    )


def mode_of(config: pytest.Config) -> Mode:
    """What this pytest was started for; a verification is a run whose arguments touch the checks."""
    option = config.option
    if option.help or option.version or option.markers or config.getoption("cacheshow", None):
        return Mode.OFF
    if option.showfixtures or option.show_fixtures_per_test or not _touches_checks(config):
        return Mode.OFF
    if config.getoption("plan"):
        return Mode.PLAN
    return Mode.COLLECT if option.collectonly else Mode.VERIFY


def verification_roots(config: pytest.Config) -> list[Path]:
    """The folders of checks, absolute."""
    return [(config.rootpath / folder).resolve() for folder in config.getini("verification_paths")]


def argument_paths(config: pytest.Config) -> list[Path]:
    """What was asked to be collected, absolute, without the names of tests."""
    start = config.invocation_params.dir
    return [(start / argument.partition("::")[0]).resolve() for argument in config.args]


def _touches_checks(config: pytest.Config) -> bool:
    return any(
        asked.is_relative_to(root) or root.is_relative_to(asked)
        for asked in argument_paths(config)
        for root in verification_roots(config)
    )


def _commit(text: str) -> str:
    if not _COMMIT.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError(f"{text!r} is no commit: 7 to 40 hex digits are")
    return text.lower()


def _attestation(text: str) -> tuple[str, str]:
    item, _, words = text.partition("=")
    who, _, what = (part.strip() for part in words.partition(":"))
    if not (item.strip() and who and what):
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form ITEM="WHO: WHAT"')
    return item.strip(), f"{who}: {what}"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds between 0 and 86400")
    return seconds
