"""Let other systems read a verdict that is there already: `kamiyo-verify export RUN --env NAME`.

A run exports its own verdict. This command does the same for one that no run has: that of several places
(`kamiyo-verify combine`), or one that could not be sent when it was made. It writes the files of `[exports]`
beside the verdict, and tells the systems that the environment names. It needs no ledger and sends no trace.

The exit code is 0, or 1 if something was not written or told; it says nothing about the verdict.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kamiyo_verify.cli.combine import read_run
from kamiyo_verify.cli.file_problems import problem_of
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.evidence.recording import NoRecording, masked
from kamiyo_verify.hooks.session_end.exports import write_files
from kamiyo_verify.hooks.session_end.publishing import ExportedVerdict, publish, systems
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.outside.own_job import run_url
from kamiyo_verify.model.writing.text import visible
from kamiyo_verify.reporting.exports.prometheus import prometheus_text

DONE, NOT_DONE, USAGE = 0, 1, 2
"""Exit codes: all was written and told, something was not, wrong usage."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Export the verdict; return the exit code of the command."""
    options = _parser().parse_args(arguments)
    root, masker = Path.cwd(), Masker()
    try:
        environment = load_environment(
            options.env, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
        )
        masker.learn(environment)
        verdict = masked(read_run(options.run), masker)
    except (ConfigurationError, NoRecording, OSError) as error:
        return _refuse(masker.text(problem_of(error)))
    if verdict.environment != environment.name:
        return _refuse(
            f"{options.run}: is of the environment {verdict.environment!r}, not {environment.name!r}"
        )
    if options.report_url and not options.report_url.startswith(("https://", "http://")):
        return _refuse("--report-url: must be an http(s) URL")
    folder = options.run if options.run.is_dir() else options.run.parent
    metrics = partial(prometheus_text, verdict)
    exported = ExportedVerdict(verdict, options.report_url or run_url(os.environ), metrics, started={})
    problems = [
        *write_files(environment.exports, folder, verdict, metrics),
        *publish(environment, [*systems(environment, exported)]),
    ]
    for problem in problems:
        sys.stderr.write(f"{visible(masker.text(problem))}\n")
    return NOT_DONE if problems else DONE


def _refuse(why: str) -> int:
    sys.stderr.write(f"{visible(why)}\n")
    return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a report folder, a verdict.json or an evidence.jsonl")
    add("--env", required=True, metavar="NAME", help="the environment that names the systems")
    add("--report-url", default="", metavar="URL", help="where the report is (default: the CI's run)")
    return parser
