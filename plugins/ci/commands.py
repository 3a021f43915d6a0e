"""What each command of `python -m plugins.ci` does. Whatever leaves here has been masked."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plugins.ci import attaching
from plugins.ci.places import places
from plugins.ci.rounds import read_round
from plugins.ci.surroundings import Surroundings, append, as_outputs
from plugins.ci.verifying import Refused, check_environment, planned, run_all
from plugins.clients.github_control import GitHubControl
from plugins.clients.log_branch import LogBranch
from plugins.configuration import load_environment
from plugins.draft import ConfigurationError
from plugins.judge.due import due as due_of
from plugins.ledger.store import Store
from plugins.ledger_address import ledger_of
from plugins.masking import Masker
from plugins.model.environment import Environment, Timeouts
from plugins.model.outside import GitHub
from plugins.model.round import Round
from plugins.model.tables import Credential
from plugins.writers import github

_ROOT = Path()
_TOKENS = ("GITHUB_TOKEN", "JOB_TOKEN")
_COMMENT_AT_MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """The job that a command runs in.

    Attributes:
        variables: its process environment.
        around: what the CI tells of itself.
    """

    variables: Mapping[str, str]
    around: Surroundings

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Job:
        """The job of this process environment."""
        return cls(variables, Surroundings.of(variables))

    def say(self, text: str, environment: str = "") -> None:
        """Tell it in the job's log."""
        sys.stdout.write(self.masked(text, environment) + "\n")

    def complain(self, problem: str) -> None:
        """Tell what could not be done; as a warning, where the CI knows such things."""
        told = self.masked(problem)
        if self.around.commands:
            sys.stdout.write(github.warning("kamiyo-verify", told) + "\n")
        sys.stderr.write(f"{told}\n")

    def masked(self, text: str, environment: str = "") -> str:
        """The text without secrets: those of the environment, the job's token, and what looks like one."""
        masker = Masker((environment,))
        if environment:
            # A mistake in the file was told by the run; what looks like a secret is masked all the same.
            with suppress(ConfigurationError):
                masker.learn(self._loaded(environment))
        tokens = {name: self.variables.get(name, "") for name in _TOKENS}
        masker.learn_values({name: token for name, token in tokens.items() if token})
        return masker.text(text)

    def _loaded(self, environment: str) -> Environment:
        return load_environment(
            environment,
            _ROOT / "environments",
            overrides={},
            variables=self.variables,
            dotenv=_ROOT / ".env",
        )


def verify(job: Job, asked: argparse.Namespace) -> int:
    """Run the phases."""
    folder = Path(asked.reports)
    told = planned(asked.env, asked.commit, asked.phases)
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty: name a new folder, so that no old report passes for a new one")
    run_all(told, folder, asked.more, job.variables)
    found = read_round(folder)
    job.say(github.in_plain_text(found), found.environment)
    return 0


def outputs(job: Job, asked: argparse.Namespace) -> int:
    """GITHUB_OUTPUT, or lines of NAME=VALUE."""
    values = github.outputs(read_round(Path(asked.reports)), report=asked.reports)
    return _told_as_outputs(job, values)


def summary(job: Job, asked: argparse.Namespace) -> int:
    """GITHUB_STEP_SUMMARY, or the terminal."""
    found = read_round(Path(asked.reports))
    text = job.masked(github.summary_md(found, job.around.links(asked.report_url)), found.environment)
    if job.around.summary:
        append(job.around.summary, text)
    else:
        sys.stdout.write(text)
    return 0


def annotate(job: Job, asked: argparse.Namespace) -> int:
    """Workflow commands, or plain lines."""
    found = read_round(Path(asked.reports))
    if not job.around.commands:
        job.say(github.in_plain_text(found), found.environment)
        return 0
    rows = github.annotated(found, places(_ROOT / "runbook.toml"))
    sys.stdout.write("".join(f"{job.masked(row, found.environment)}\n" for row in rows))
    return 0


def leave(job: Job, asked: argparse.Namespace) -> int:
    """End as the call says."""
    found = read_round(Path(asked.reports))
    job.say(github.in_plain_text(found), found.environment)
    return found.recommendation.exit_code


def comment(job: Job, asked: argparse.Namespace) -> int:
    """Comment on the commit."""
    found = read_round(Path(asked.reports))
    if not found.commit:
        raise Refused("no commit was named, so there is none to comment on")
    mark = f"{found.environment}/{job.around.run or 'by-hand'}"
    text = github.comment_md(found, job.around.links(asked.report_url), mark=mark)
    control = _control(job, asked)
    try:
        told = control.comment(found.commit, job.masked(text, found.environment), mark=github.mark_of(mark))
    finally:
        control.close()
    job.say(f"commented: {told.html_url}")
    return 0


def log(job: Job, asked: argparse.Namespace) -> int:
    """Append to the deployment log."""
    folder, around = Path(asked.reports), job.around
    remote = asked.remote or (f"{around.server}/{around.repository}" if around.repository else "")
    if not remote:
        raise Refused("--remote is needed where GITHUB_REPOSITORY is not set: an address or a folder for git")
    found = read_round(folder)
    if not found.turns:
        raise Refused("nothing was run, so there is nothing to write down")
    if remote.startswith("-") or asked.branch.startswith("-"):
        raise Refused("neither an address nor a branch begins with -")
    # git is run in a folder of its own.
    remote = str(Path(remote).resolve()) if Path(remote).is_dir() else remote
    branch = LogBranch(remote, asked.branch, job.variables.get(asked.token_name, ""))
    name = attaching.name_of(found, folder, run=around.run)
    new = branch.add(lambda work: _attached(job, found, folder, work, name))
    job.say(f"{asked.branch}: {name}{'' if new else ' was there already'}", found.environment)
    return 0


def due(job: Job, asked: argparse.Namespace) -> int:
    """Ask the ledger."""
    check_environment(asked.env)
    with Store.opened(ledger_of(asked.env, _ROOT.resolve())) as store:
        found = due_of(store.past(asked.env), now=time.time())
    job.say(found.why, asked.env)
    told = {"due": "true" if found.names else "false", "commit": found.commit}
    return _told_as_outputs(job, {**told, "follow-ups": ", ".join(found.names)})


def _attached(job: Job, found: Round, folder: Path, work: Path, name: str) -> str:
    return attaching.write(found, folder, work, name, lambda text: job.masked(text, found.environment))


def _told_as_outputs(job: Job, values: Mapping[str, str]) -> int:
    if job.around.outputs:
        append(job.around.outputs, as_outputs(values))
    else:
        sys.stdout.write("".join(f"{name}={value}\n" for name, value in values.items()))
    return 0


def _control(job: Job, asked: argparse.Namespace) -> GitHubControl:
    token, repository = job.variables.get(asked.token_name, ""), asked.repository or job.around.repository
    if not token or not repository:
        raise Refused(f"{asked.token_name} and --repository (or GITHUB_REPOSITORY) are needed for a comment")
    try:
        table = GitHub(
            address=job.around.api,
            repository=repository,
            token=Credential.model_validate({"name": asked.token_name, "value": token}),
        )
    except ValueError:
        raise Refused(f"{repository!r} is no owner/name, or GITHUB_API_URL is no address") from None
    until = time.monotonic() + _COMMENT_AT_MOST_S
    return GitHubControl(
        table, timeouts=Timeouts(), record=lambda _: None, remaining=lambda: until - time.monotonic()
    )
