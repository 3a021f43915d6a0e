"""One deployment's verification in a CI job: `python -m plugins.ci verify|outputs|summary|annotate|…`.

Each command reads what the one before it left in the folder of reports, so that any of them can be run again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from plugins.ci import commands
from plugins.ci.verifying import Refused
from plugins.clients.log_branch import NotPushed
from plugins.draft import ConfigurationError
from plugins.ledger.database import LedgerUnavailable
from plugins.model.outcomes import NoAnswer

CANNOT = 2
"""Exit code of a command that could not be done."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code: 0, 2 where it could not be done, of `exit` that of the call."""
    asked = _parser().parse_args(arguments)
    job = commands.Job.of(os.environ)
    try:
        code: int = asked.does(job, asked)
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
    parser = argparse.ArgumentParser(prog="python -m plugins.ci", description=__doc__.partition("\n")[0])
    add = parser.add_subparsers(required=True, metavar="COMMAND").add_parser

    what = "run the phases of a deployment, one after the other; ends with 0 whatever they say: see exit"
    one = add("verify", help=what, description=what)
    one.add_argument("--env", required=True, metavar="NAME", help="the environment")
    one.add_argument("--commit", default="", metavar="SHA", help="the commit that is deployed")
    one.add_argument("--phases", default="deploy postdeploy", help="default: %(default)s")
    one.add_argument("reports", metavar="REPORTS", help="the folder of the reports; must not exist yet")
    one.add_argument("more", nargs="*", metavar="ARG", help="after --: further arguments of pytest")
    one.set_defaults(does=commands.verify)

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


if __name__ == "__main__":
    sys.exit(main())
