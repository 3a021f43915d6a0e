"""Export the objectives as OpenSLO, or check an OpenSLO file: `kamiyo-verify openslo export|check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from kamiyo_verify.cli.file_problems import problem_of
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.openslo.files import read_slos
from kamiyo_verify.config.openslo.writing import documents
from kamiyo_verify.config.openslo.yaml_files import yaml_of
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.model.figures import counted, percent, quantity
from kamiyo_verify.model.runbook import Slo

DONE, USAGE = 0, 2
"""Exit codes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.does(options)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except OSError as error:
        sys.stderr.write(f"{problem_of(error)}\n")
        return USAGE
    return DONE


def exported(slos: Iterable[Slo], *, project: str) -> str:
    """Format objectives as one YAML file with several documents."""
    return yaml_of(documents(slos, project=project))


def _export(options: argparse.Namespace) -> None:
    runbook = load_runbook(options.runbook)
    text = exported(runbook.slos, project=runbook.title)
    if options.output is None:
        sys.stdout.write(text)
    else:
        write_atomically(options.output, text)


def _check(options: argparse.Namespace) -> None:
    runbook = load_runbook(options.runbook)
    found = read_slos(options.file, items=[item.id for item in runbook.items], table=runbook.slos)
    for slo in found.slos:
        sys.stdout.write(f"{slo.id}: {_describe(slo)}\n")
    for note in found.not_used:
        sys.stdout.write(f"not used: {note}\n")
    sys.stdout.write(
        f"{options.file}: {counted(len(found.slos), 'objective')}, as {options.runbook} can have them\n"
    )


def _describe(slo: Slo) -> str:
    where = f"{slo.item} {slo.measurement}".strip() or "many runs"
    if slo.kind == "quantile" and slo.quantile is not None:
        return f"{percent(slo.quantile)} of {where} {slo.better} {quantity(slo.objective, slo.unit)}"
    of = f" of {slo.total}" if slo.total else ""
    return f"{where}{of} {slo.better} {percent(slo.objective)}" + (
        f" over {slo.window}" if slo.window else ""
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kamiyo-verify openslo", description="Objectives as OpenSLO v1.")
    parser.add_argument("--runbook", type=Path, default=Path("runbook.toml"), metavar="FILE", help="whose")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    what = "write the runbook's objectives as OpenSLO"
    export = commands.add_parser("export", help=what, description=what)
    export.add_argument("--output", type=Path, metavar="FILE", help="write them here, not to standard output")
    export.set_defaults(does=_export)

    what = "read an OpenSLO file as --slos would, and say what it comes to"
    check = commands.add_parser("check", help=what, description=what)
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(does=_check)
    return parser
