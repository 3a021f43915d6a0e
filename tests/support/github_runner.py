"""A small runner of GitHub's workflows: one job, its composite action, bash and the files between steps.

What is not ours (checkout, cache, artifacts …) is recorded and imitated, as far as a step depends on it. Only
the expressions that our files use are understood; any other is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.github_expressions import evaluate, filled, truthy

NOT_RUN = {"install", "browser"}
"""Steps that need the package index; they are recorded. The tests' own interpreter stands in for them."""


@dataclass
class Job:
    """A job that ended.

    Attributes:
        outputs: of the job.
        conclusion: "success", "failure" or "skipped".
        log: what its steps printed, workflow commands included; but not the values to mask, which GitHub
            does not print either. Nothing is masked here, so that a secret in the log is seen.
        masks: the values that the steps told GitHub to mask.
        codes: the exit code of each step that was run, by its name.
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
    masks: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

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
        action: where our action was downloaded to; "./" is the workspace.
        installs: run the steps that need the package index, too.
    """

    workspace: Path
    store: Path
    github: dict[str, Any]
    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    action: Path | None = None
    installs: bool = False

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
        self.github["workspace"] = str(self.workspace)
        self._begin()
        if "concurrency" in told:
            self.github["concurrency"] = filled(told["concurrency"]["group"], contexts)
        steps, failed = self._steps(told["steps"], contexts, _filled(told.get("env", {}), contexts), ran)
        ran.conclusion = "failure" if failed else "success"
        ran.outputs = {
            name: filled(value, {**contexts, "steps": steps})
            for name, value in told.get("outputs", {}).items()
        }
        return ran

    @property
    def _temporary(self) -> Path:
        """RUNNER_TEMP, which is empty when a job begins."""
        return self.store / "temporary"

    def _begin(self) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        if not self.installs:
            (self._temporary / "kamiyo-verify").symlink_to(sys.prefix)

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
            needs_index = name in NOT_RUN or row["run"].startswith("pip install")
            if needs_index and not self.installs:
                ran.used.append((name, {"run": row["run"]}))
                return "success", {}
            folder = self.workspace / filled(row.get("working-directory", ""), known)
            variables = {**variables, "GITHUB_ACTION_PATH": str(known["github"].get("action_path", ""))}
            return self._bash(name, row["run"], folder, variables, ran)
        given = _filled(row.get("with", {}), known)
        if row["uses"] == "./" or row["uses"].partition("@")[0].endswith("/kamiyo-verify"):
            path = self.workspace if row["uses"] == "./" else self.action
            assert path is not None
            return self._composite(path, given, variables, ran)
        ran.used.append((row["uses"], given))
        return "success", self._imitated(row["uses"].partition("@")[0], given, ran)

    def _composite(
        self, path: Path, given: dict[str, str], variables: dict[str, str], ran: Job
    ) -> tuple[str, dict[str, str]]:
        told = yaml.safe_load((path / "action.yml").read_text(encoding="utf-8"))
        unknown = set(given) - set(told["inputs"])
        assert not unknown, f"the action has no inputs {unknown}"
        inputs = {name: given.get(name, str(row.get("default", ""))) for name, row in told["inputs"].items()}
        github = {**self.github, "action_path": str(path)}
        # An action sees its own inputs, and neither secrets nor variables of the repository.
        contexts = {"github": github, "inputs": inputs}
        steps, failed = self._steps(told["runs"]["steps"], contexts, variables, ran)
        outputs = {
            name: filled(row["value"], {**contexts, "steps": steps}) for name, row in told["outputs"].items()
        }
        return ("failure" if failed else "success"), outputs

    def _bash(
        self, name: str, script: str, place: Path, variables: dict[str, str], ran: Job
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
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self._temporary),
        }
        ran.variables[name] = given
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=place,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=150,
            check=False,
        )
        ran.codes[name] = done.returncode
        ran.log += self._without_masks(done.stdout, ran)
        ran.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        outcome = "failure" if done.returncode else "success"
        return outcome, read_outputs(files["GITHUB_OUTPUT"].read_text(encoding="utf-8"))

    def _without_masks(self, output: str, ran: Job) -> str:
        """The output without the values that are to be masked."""
        mask = "::add-mask::"
        ran.masks += [
            line.removeprefix(mask).replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
            for line in output.splitlines()
            if line.startswith(mask)
        ]
        return "".join(line for line in output.splitlines(keepends=True) if not line.startswith(mask))

    def _imitated(self, action: str, given: Mapping[str, str], ran: Job) -> dict[str, str]:
        match action:
            case "actions/checkout" | "actions/setup-python":
                # The checkout is there, and so is Python.
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
