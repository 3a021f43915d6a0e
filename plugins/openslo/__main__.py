"""The objectives as OpenSLO, and back: `python -m plugins.openslo export|check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from plugins.draft import ConfigurationError
from plugins.model.figures import counted, percent, quantity
from plugins.model.runbook import Slo
from plugins.openslo.files import read_slos
from plugins.openslo.yaml_files import yaml_of
from plugins.report_dir import write_atomically
from plugins.runbook import load_runbook
from plugins.writers.openslo import documents

DONE, USAGE = 0, 2
"""Exit codes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        asked.does(asked)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except OSError as error:
        sys.stderr.write(f"{error.filename}: cannot be written: {error.strerror}\n")
        return USAGE
    return DONE


def exported(slos: Iterable[Slo], *, project: str) -> str:
    """Objectives as one YAML file of several documents."""
    return yaml_of(documents(slos, project=project))


def _export(asked: argparse.Namespace) -> None:
    runbook = load_runbook(asked.runbook)
    text = exported(runbook.slos, project=runbook.title)
    if asked.output is None:
        sys.stdout.write(text)
    else:
        write_atomically(asked.output, text)


def _check(asked: argparse.Namespace) -> None:
    runbook = load_runbook(asked.runbook)
    found = read_slos(asked.file, items=[item.id for item in runbook.items], table=runbook.slos)
    for slo in found.slos:
        sys.stdout.write(f"{slo.id}: {_told(slo)}\n")
    for note in found.not_used:
        sys.stdout.write(f"not used: {note}\n")
    sys.stdout.write(
        f"{asked.file}: {counted(len(found.slos), 'objective')}, as {asked.runbook} can have them\n"
    )


def _told(slo: Slo) -> str:
    where = f"{slo.item} {slo.measurement}".strip() or "many runs"
    if slo.kind == "quantile" and slo.quantile is not None:
        return f"{percent(slo.quantile)} of {where} {slo.better} {quantity(slo.objective, slo.unit)}"
    of = f" of {slo.total}" if slo.total else ""
    return f"{where}{of} {slo.better} {percent(slo.objective)}" + (
        f" over {slo.window}" if slo.window else ""
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m plugins.openslo", description="Objectives as OpenSLO v1."
    )
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


if __name__ == "__main__":
    sys.exit(main())
