"""Commands of `kamiyo-verify ci`. All output is masked."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kamiyo_verify.cli.ci import attaching, exporting
from kamiyo_verify.cli.ci.environment import CiContext, append, as_outputs
from kamiyo_verify.cli.ci.places import places
from kamiyo_verify.cli.ci.rounds import read_round
from kamiyo_verify.cli.ci.verifying import Refused, check_environment, planned, run_all
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.config.ledger_address import ledger_of
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.git.log_branch import LogBranch
from kamiyo_verify.integrations.github.control import GitHubControl
from kamiyo_verify.integrations.github.settings import GitHub
from kamiyo_verify.judge.history.due import due as due_of
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.history.round import Round
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.reporting import github

_ROOT = Path()
_TOKENS = ("GITHUB_TOKEN", "JOB_TOKEN")
_COMMENT_AT_MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """The job that a command runs in.

    Attributes:
        variables: the environment variables of the process.
        around: the CI context read from them.
    """

    variables: Mapping[str, str]
    around: CiContext

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Job:
        """Build the job from environment variables."""
        return cls(variables, CiContext.of(variables))

    def say(self, text: str, environment: str = "") -> None:
        """Print to the job's log."""
        sys.stdout.write(self.masked(text, environment) + "\n")

    def complain(self, problem: str) -> None:
        """Print a failure; as a warning if the CI supports workflow commands."""
        description = self.masked(problem)
        if self.around.commands:
            sys.stdout.write(github.warning("kamiyo-verify", description) + "\n")
        sys.stderr.write(f"{description}\n")

    def masked(self, text: str, environment: str = "") -> str:
        """Mask the environment's secrets, the job's token, and text that looks like a secret."""
        return self._masker(environment).text(text)

    def secrets(self, environment: str) -> tuple[str, ...]:
        """Return each secret of the job, and each secret part of one."""
        return self._masker(environment).values

    def _masker(self, environment: str) -> Masker:
        masker = Masker((environment,))
        if environment:
            # The run reports any mistake in the file; text that looks like a secret is masked anyway.
            with suppress(ConfigurationError):
                masker.learn(self._loaded(environment))
        tokens = {name: self.variables.get(name, "") for name in _TOKENS}
        masker.learn_values({name: token for name, token in tokens.items() if token})
        return masker

    def _loaded(self, environment: str) -> Environment:
        return load_environment(
            environment,
            _ROOT / "environments",
            overrides={},
            variables=self.variables,
            dotenv=_ROOT / ".env",
        )


def mask(job: Job, options: argparse.Namespace) -> int:
    """Mask every credential in GitHub's log; print no value anywhere else."""
    check_environment(options.env)
    if not job.around.masks or sys.stdout.isatty():
        sys.stderr.write("nothing was masked: this is not a job of GitHub Actions\n")
        return 0
    for value in job.secrets(options.env):
        sys.stdout.write(f"{github.add_mask(value)}\n")
    return 0


def verify(job: Job, options: argparse.Namespace) -> int:
    """Run the phases."""
    folder = Path(options.reports)
    planned_round = planned(options.env, options.commit, options.phases)
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty: name a new folder, so that no old report passes for a new one")
    run_all(planned_round, folder, options.more, job.variables)
    found = read_round(folder)
    job.say(github.in_plain_text(found), found.environment)
    for line in exporting.round_exported(found, _ROOT, options.more, job.variables):
        job.say(line, found.environment)
    return 0


def outputs(job: Job, options: argparse.Namespace) -> int:
    """Write the result to GITHUB_OUTPUT, or print NAME=VALUE lines."""
    values = github.outputs(read_round(Path(options.reports)), report=options.reports)
    return _write_outputs(job, values)


def summary(job: Job, options: argparse.Namespace) -> int:
    """Write the summary to GITHUB_STEP_SUMMARY, or print it."""
    found = read_round(Path(options.reports))
    links, advisory = job.around.links(options.report_url), options.advisory == "true"
    text = job.masked(github.summary_md(found, links, advisory=advisory), found.environment)
    if job.around.summary:
        append(job.around.summary, text)
    else:
        sys.stdout.write(text)
    return 0


def annotate(job: Job, options: argparse.Namespace) -> int:
    """Print annotations as workflow commands, or as plain lines."""
    found = read_round(Path(options.reports))
    if not job.around.commands:
        job.say(github.in_plain_text(found), found.environment)
        return 0
    rows = github.annotated(found, places(_ROOT / "runbook.toml", job.around.workspace))
    sys.stdout.write("".join(f"{job.masked(row, found.environment)}\n" for row in rows))
    return 0


def leave(job: Job, options: argparse.Namespace) -> int:
    """Return the exit code of the recommendation; 0 if the job is advisory."""
    found = read_round(Path(options.reports))
    job.say(github.in_plain_text(found), found.environment)
    if options.advisory == "true":
        job.say(github.ADVISORY)
        return 0
    return found.recommendation.exit_code


def comment(job: Job, options: argparse.Namespace) -> int:
    """Comment on the commit."""
    found = read_round(Path(options.reports))
    if not found.commit:
        raise Refused("no commit was named, so there is none to comment on")
    mark = f"{found.environment}/{job.around.run or 'by-hand'}"
    text = github.comment_md(found, job.around.links(options.report_url), mark=mark)
    control = _control(job, options)
    try:
        comment = control.comment(
            found.commit, job.masked(text, found.environment), mark=github.mark_of(mark)
        )
    finally:
        control.close()
    job.say(f"commented: {comment.html_url}")
    return 0


def log(job: Job, options: argparse.Namespace) -> int:
    """Append to the deployment log."""
    folder, around = Path(options.reports), job.around
    remote = options.remote or (f"{around.server}/{around.repository}" if around.repository else "")
    if not remote:
        raise Refused("--remote is needed where GITHUB_REPOSITORY is not set: an address or a folder for git")
    found = read_round(folder)
    if not found.turns:
        raise Refused("nothing was run, so there is nothing to write down")
    if remote.startswith("-") or options.branch.startswith("-"):
        raise Refused("neither an address nor a branch begins with -")
    # git runs in another folder, so a local path must be absolute.
    remote = str(Path(remote).resolve()) if Path(remote).is_dir() else remote
    branch = LogBranch(remote, options.branch, job.variables.get(options.token_name, ""))
    name = attaching.name_of(found, folder, run=around.run)
    new = branch.add(lambda work: _attached(job, found, folder, work, name))
    job.say(f"{options.branch}: {name}{'' if new else ' was there already'}", found.environment)
    return 0


def due(job: Job, options: argparse.Namespace) -> int:
    """Read from the ledger which follow-ups are due, and print or output them."""
    check_environment(options.env)
    with Store.opened(ledger_of(options.env, _ROOT.resolve())) as store:
        found = due_of(store.past(options.env), now=time.time())
    job.say(found.why, options.env)
    due = {"due": "true" if found.names else "false", "commit": found.commit}
    return _write_outputs(job, {**due, "follow-ups": ", ".join(found.names)})


def _attached(job: Job, found: Round, folder: Path, work: Path, name: str) -> str:
    return attaching.write(found, folder, work, name, lambda text: job.masked(text, found.environment))


def _write_outputs(job: Job, values: Mapping[str, str]) -> int:
    if job.around.outputs:
        append(job.around.outputs, as_outputs(values))
    else:
        sys.stdout.write("".join(f"{name}={value}\n" for name, value in values.items()))
    return 0


def _control(job: Job, options: argparse.Namespace) -> GitHubControl:
    token, repository = job.variables.get(options.token_name, ""), options.repository or job.around.repository
    if not token or not repository:
        raise Refused(
            f"{options.token_name} and --repository (or GITHUB_REPOSITORY) are needed for a comment"
        )
    try:
        table = GitHub(
            address=job.around.api,
            repository=repository,
            token=Credential.model_validate({"name": options.token_name, "value": token}),
        )
    except ValueError:
        raise Refused(f"{repository!r} is no owner/name, or GITHUB_API_URL is no address") from None
    until = time.monotonic() + _COMMENT_AT_MOST_S
    return GitHubControl(table, ClientContext.unrecorded(Timeouts(), lambda: until - time.monotonic()))
