"""Audit the dependencies for published vulnerabilities: the project's script, or pip-audit and npm audit.

Sources: pypi.org/project/pip-audit (its JSON format) and docs.npmjs.com/cli/commands/npm-audit.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.writing.text import cut
from kamiyo_verify.processes.commands import Commands

_REPORT_BYTES = 16 * 1024 * 1024
_NOT_RUN = frozenset({126, 127})
"""Exit codes of a shell that could not run the command."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit.

    Attributes:
        by: the tool or script.
        findings: vulnerabilities that block a release, one sentence each.
    """

    by: str
    findings: tuple[str, ...]


class _Unreached(Exception):
    """A tool is not installed, or has not reached its source."""


def by_script(commands: Commands, command: Sequence[str], within_s: float) -> Audit:
    """Audit by the project's own script: exit code 0 means no findings.

    Raises:
        NoAnswer: it could not be run, or did not finish in time.
    """
    ran = commands.run(command, within_s=within_s)
    if ran.code in _NOT_RUN:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"{ran.command}: {ran.last_line}")
    return Audit(ran.command, (f"{ran.command} ended with {ran.code}: {ran.last_line}",) if ran.code else ())


def by_tools(
    python: Commands, node: Commands, lock: Path, node_lock: Path, within: Callable[[], float]
) -> Audit:
    """Audit by pip-audit and npm audit; findings of one count even if the other one cannot run.

    Args:
        python: runs in the folder of the Python requirements.
        node: runs in the folder of the Node project.
        lock: the most exact file of Python requirements.
        node_lock: the path of npm's own lock file, if it exists.
        within: seconds that are left.

    Raises:
        Unverified: nothing was found, and one of them could not run.
        NoAnswer: one of them did not finish in time.
    """
    findings: list[str] = []
    unreached: list[str] = []
    for look, commands, path in ((_pip_audit, python, lock), (_npm_audit, node, node_lock)):
        try:
            findings += look(commands, path, within())
        except _Unreached as why:
            unreached.append(str(why))
    if unreached and not findings:
        raise Unverified(f"there is no audit script, and {', and '.join(unreached)}")
    return Audit("pip-audit and npm audit", tuple(findings))


def _pip_audit(commands: Commands, lock: Path, within_s: float) -> tuple[str, ...]:
    if importlib.util.find_spec("pip_audit"):
        program: tuple[str, ...] = (sys.executable, "-m", "pip_audit")
    elif shutil.which("pip-audit"):
        program = ("pip-audit",)
    else:
        raise _Unreached("pip-audit is not installed")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ("--no-deps", "--disable-pip", "--progress-spinner=off", "--timeout=10", "--format=json")
        ran = commands.run(
            (*program, *options, f"--output={report}", f"--requirement={lock}"), within_s=within_s
        )
        found = _object(report.read_text(encoding="utf-8") if report.is_file() else "")
    packages = found.get("dependencies")
    if not isinstance(packages, list):
        raise _Unreached(f"pip-audit gave no report ({ran.last_line})")
    judged = [package for package in packages if isinstance(package, dict)]
    skipped = [str(package.get("name")) for package in judged if "skip_reason" in package]
    findings = tuple(
        f"{package.get('name')} {package.get('version')} has {_ids(package['vulns'])}"
        for package in judged
        if package.get("vulns")
    )
    if skipped and not findings:
        raise _Unreached(f"pip-audit could not judge {', '.join(skipped)}")
    return findings


def _ids(weaknesses: Sequence[Mapping[str, object]]) -> str:
    return ", ".join(str(weakness.get("id")) for weakness in weaknesses)


def _npm_audit(commands: Commands, lock: Path, within_s: float) -> tuple[str, ...]:
    if not shutil.which("npm") or not lock.is_file():
        raise _Unreached("npm is not installed" if lock.is_file() else f"npm audit needs {lock.name}")
    # Offline, npm reports that nothing was found.
    options = ("--json", "--package-lock-only", "--offline=false", "--prefer-offline=false")
    patience = ("--fetch-retries=0", "--fetch-timeout=10000", "--loglevel=silent")
    ran = commands.run(("npm", "audit", *options, *patience), within_s=within_s, kept_bytes=_REPORT_BYTES)
    found = _object(ran.tail[ran.tail.find("{") :])
    weak = found.get("vulnerabilities")
    if not isinstance(weak, dict) or "metadata" not in found:
        raise _Unreached(f"npm audit gave no report ({cut(str(found.get('message', 'no JSON')), 150)})")
    return tuple(
        f"{name} has a critical weakness" for name, entry in weak.items() if _severity(entry) == "critical"
    )


def _severity(entry: object) -> object:
    return entry.get("severity") if isinstance(entry, Mapping) else None


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
