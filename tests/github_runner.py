"""A small runner of GitHub's workflows: one job, its composite action, bash and the files between steps.

What is not ours (checkout, cache, artifacts …) is recorded and imitated, as far as a step depends on it. Only
the expressions that our files use are understood; any other is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.github_expressions import evaluate, filled, truthy

NOT_RUN = {"install", "browser"}
"""Steps that need the package index; they are recorded."""


@dataclass
class Job:
    """A job that ended.

    Attributes:
        outputs: of the job.
        conclusion: "success", "failure" or "skipped".
        log: what its steps printed, workflow commands included.
        used: actions that are not ours, with what they were given.
        variables: of the process of each step that was run, by its name.
    """

    conclusion: str = "success"
    outputs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    artifacts: list[Path] = field(default_factory=list)

    @property
    def annotations(self) -> list[str]:
        """The workflow commands that GitHub would have obeyed."""
        found, ends = list[str](), ""
        for line in self.log.splitlines():
            if ends:
                ends = "" if line == f"::{ends}::" else ends
            elif stop := re.fullmatch(r"::stop-commands::(\w+)", line):
                ends = stop[1]
            elif line.lstrip().startswith("::"):
                found.append(line)
        return found


@dataclass
class Runner:
    """A runner with a checkout.

    Args:
        workspace: the checkout.
        store: where caches and artifacts go; shared by runs.
        github: the context of that name.
        variables: the process environment of every step.
        secrets, vars: the contexts of those names.
        inputs: of workflow_dispatch.
    """

    workspace: Path
    store: Path
    github: dict[str, Any]
    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    def run(self, workflow: Path, job: str) -> Job:
        """Run that job."""
        told = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"][job]
        contexts = {
            "github": self.github,
            "inputs": self.inputs,
            "vars": self.vars,
            "secrets": self.secrets,
        }
        ran = Job()
        if not truthy(evaluate(str(told.get("if", "true")), contexts)):
            ran.conclusion = "skipped"
            return ran
        self.github["concurrency"] = filled(told["concurrency"]["group"], contexts)
        steps, failed = self._steps(told["steps"], contexts, {}, ran)
        ran.conclusion = "failure" if failed else "success"
        ran.outputs = {
            name: filled(value, {**contexts, "steps": steps})
            for name, value in told.get("outputs", {}).items()
        }
        return ran

    def _steps(
        self, rows: list[dict[str, Any]], contexts: dict[str, Any], variables: dict[str, str], ran: Job
    ) -> tuple[dict[str, Any], bool]:
        steps: dict[str, Any] = {}
        failed = False
        for number, row in enumerate(rows):
            name = str(row.get("id") or row.get("name") or number)
            known = {**contexts, "steps": steps, "failed": failed}
            if not _wanted(str(row.get("if", "")), known):
                outcome, outputs = "skipped", dict[str, str]()
            else:
                given = {**variables, **_filled(row.get("env", {}), known)}
                outcome, outputs = self._step(name, row, known, given, ran)
            failed = failed or (outcome == "failure" and not row.get("continue-on-error"))
            steps[name] = {"outcome": outcome, "outputs": outputs}
            ran.steps[str(row.get("name") or name)] = outcome
        return steps, failed

    def _step(
        self, name: str, row: dict[str, Any], known: dict[str, Any], variables: dict[str, str], ran: Job
    ) -> tuple[str, dict[str, str]]:
        if "run" in row:
            if name in NOT_RUN:
                ran.used.append((name, {"run": row["run"]}))
                return "success", {}
            return self._bash(name, row["run"], variables, ran)
        given = _filled(row.get("with", {}), known)
        if row["uses"] == "./":
            return self._composite(given, variables, ran)
        ran.used.append((row["uses"], given))
        return "success", self._imitated(row["uses"].partition("@")[0], given, ran)

    def _composite(
        self, given: dict[str, str], variables: dict[str, str], ran: Job
    ) -> tuple[str, dict[str, str]]:
        told = yaml.safe_load((self.workspace / "action.yml").read_text(encoding="utf-8"))
        unknown = set(given) - set(told["inputs"])
        assert not unknown, f"the action has no inputs {unknown}"
        inputs = {name: given.get(name, str(row.get("default", ""))) for name, row in told["inputs"].items()}
        github = {**self.github, "action_path": str(self.workspace)}
        # An action sees its own inputs, and neither secrets nor variables of the repository.
        contexts = {"github": github, "inputs": inputs}
        steps, failed = self._steps(told["runs"]["steps"], contexts, variables, ran)
        outputs = {
            name: filled(row["value"], {**contexts, "steps": steps}) for name, row in told["outputs"].items()
        }
        return ("failure" if failed else "success"), outputs

    def _bash(
        self, name: str, script: str, variables: dict[str, str], ran: Job
    ) -> tuple[str, dict[str, str]]:
        assert "${{" not in script, f"{name}: an expression inside a script"
        folder = self.store / "between"
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            f"GITHUB_{kind}": folder / f"{len(ran.variables)}-{kind}"
            for kind in ("OUTPUT", "STEP_SUMMARY", "ENV")
        }
        for path in files.values():
            path.write_text("")
        given = {
            **self.variables,
            **variables,
            **{key: str(path) for key, path in files.items()},
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.workspace),
        }
        ran.variables[name] = given
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.workspace,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=150,
            check=False,
        )
        ran.log += done.stdout
        ran.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        outcome = "failure" if done.returncode else "success"
        return outcome, read_outputs(files["GITHUB_OUTPUT"].read_text(encoding="utf-8"))

    def _imitated(self, action: str, given: Mapping[str, str], ran: Job) -> dict[str, str]:
        match action:
            case "actions/checkout" | "actions/setup-python":
                return {}
            case "actions/cache/restore":
                return self._restored(given)
            case "actions/cache/save":
                target = self.store / "cache" / given["key"]
                target.mkdir(parents=True)
                for path in _matching(given["path"]):
                    shutil.copy2(path, target)
                return {}
            case "actions/upload-artifact":
                target = self.store / "artifacts" / given["name"]
                assert not set('":<>|*?\r\n\\/') & set(given["name"]), "GitHub takes no such name"
                shutil.copytree(given["path"], target)
                ran.artifacts.append(target)
                return {"artifact-url": f"https://github.com/artifacts/{given['name']}"}
        raise AssertionError(f"nobody imitates {action}")

    def _restored(self, given: Mapping[str, str]) -> dict[str, str]:
        saved = sorted(
            (self.store / "cache").glob("*"), key=lambda path: path.stat().st_mtime_ns, reverse=True
        )
        found = next((one for one in saved if one.name.startswith(given["restore-keys"])), None)
        if found is None:
            return {}
        folder = Path(given["path"]).parent
        folder.mkdir(parents=True, exist_ok=True)
        for path in found.iterdir():
            shutil.copy2(path, folder)
        return {"cache-matched-key": found.name}


def read_outputs(text: str) -> dict[str, str]:
    """What a step wrote into GITHUB_OUTPUT: NAME=VALUE, and NAME<<END … END."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if many := re.fullmatch(r"([\w-]+)<<(.+)", line):
            value = []
            for inner in lines:
                if inner == many[2]:
                    break
                value.append(inner)
            found[many[1]] = "\n".join(value)
        elif line:
            name, equals, value_told = line.partition("=")
            assert equals, f"no output: {line}"
            found[name] = value_told
    return found


def clean_variables(**more: str) -> dict[str, str]:
    """A process environment with nothing of ours in it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, **more}


def _wanted(condition: str, known: dict[str, Any]) -> bool:
    condition = condition.strip().removeprefix("${{").removesuffix("}}").strip()
    about_status = re.search(r"\b(always|failure|success|cancelled)\(\)", condition)
    if known["failed"] and not about_status:
        return False
    return truthy(evaluate(condition, known)) if condition else True


def _filled(table: Mapping[str, Any], known: dict[str, Any]) -> dict[str, str]:
    return {
        name: filled(str(value).lower() if isinstance(value, bool) else str(value), known)
        for name, value in table.items()
    }


def _matching(pattern: str) -> list[Path]:
    path = Path(pattern)
    return [*path.parent.glob(path.name)]
