"""Verify one deployment in a CI job: `kamiyo-verify ci mask|verify|outputs|summary|…`.

Each command reads the files that earlier commands left in the reports folder, so any command can run again.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from kamiyo_verify.cli.ci import commands
from kamiyo_verify.cli.ci.verifying import Refused
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.integrations.git.log_branch import NotPushed
from kamiyo_verify.ledger.database import LedgerUnavailable
from kamiyo_verify.model.outcomes import NoAnswer

CANNOT = 2
"""Exit code of a command that failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, 2 if it failed, or the recommendation's exit code for `exit`."""
    options = _parser().parse_args(arguments)
    job = commands.Job.of(os.environ)
    try:
        code: int = options.does(job, options)
    except (
        ConfigurationError,
        LedgerUnavailable,
        NoAnswer,
        NotPushed,
        OSError,
        Refused,
    ) as problem:
        job.complain(str(problem))
        return CANNOT
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kamiyo-verify ci", description=__doc__.partition("\n")[0])
    add = parser.add_subparsers(required=True, metavar="COMMAND").add_parser

    what = "run the phases of a deployment, one after the other; ends with 0 whatever they say: see exit"
    one = add("verify", help=what, description=what)
    one.add_argument("--env", required=True, metavar="NAME", help="the environment")
    one.add_argument("--commit", default="", metavar="SHA", help="the commit that is deployed")
    one.add_argument("--phases", default="deploy postdeploy", help="default: %(default)s")
    one.add_argument("reports", metavar="REPORTS", help="the folder of the reports; must not exist yet")
    one.add_argument("more", nargs="*", metavar="ARG", help="after --: further arguments of pytest")
    one.set_defaults(does=commands.verify)

    what = "mask every credential in the log of a GitHub job; elsewhere nothing is printed"
    one = add("mask", help=what, description=what)
    one.add_argument("--env", required=True, metavar="NAME", help="the environment")
    one.set_defaults(does=commands.mask)

    for name, does, what in (
        ("outputs", commands.outputs, "tell the call to later steps (GITHUB_OUTPUT)"),
        ("summary", commands.summary, "the call and its grounds in Markdown (GITHUB_STEP_SUMMARY)"),
        ("annotate", commands.annotate, "the call and what failed as annotations"),
        ("exit", commands.leave, "end with the exit code of the call"),
        ("comment", commands.comment, "comment on the commit; updates the comment of this job"),
        ("log", commands.log, "append to the deployment log, a branch of its own"),
    ):
        one = add(name, help=what, description=what)
        one.add_argument("reports", metavar="REPORTS", help="the folder of verify, or of any one report")
        one.set_defaults(does=does)
        if name in {"summary", "comment"}:
            one.add_argument("--report-url", default="", metavar="URL", help="where the reports are")
        if name in {"summary", "exit"}:
            how = "true: the job ends with 0 whatever the call is"
            one.add_argument("--advisory", choices=("true", "false"), default="false", help=how)
        if name in {"comment", "log"}:
            one.add_argument("--token-name", default="GITHUB_TOKEN", help="the NAME of the token's variable")
        if name == "comment":
            one.add_argument("--repository", default="", help="owner/name; default: GITHUB_REPOSITORY")
        if name == "log":
            one.add_argument("--remote", default="", help="address or folder; default: GITHUB_REPOSITORY")
            one.add_argument("--branch", default="deployment-log", help="default: %(default)s")

    what = "which follow-ups of the deployment that is live are due, by the ledger"
    one = add("due", help=what, description=what)
    one.add_argument("--env", required=True, metavar="NAME", help="the environment")
    one.set_defaults(does=commands.due)
    return parser
