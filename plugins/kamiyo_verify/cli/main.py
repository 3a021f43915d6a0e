"""The console script `kamiyo-verify`: one command for each task outside of a test run.

Each command is a module of this package. It is imported only when it is called, to keep the start fast.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

import click

_COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init.command", "Look at a platform, and write a project that verifies it."),
    "replay": ("replay", "Judge recorded runs again, without asking anything outside."),
    "combine": ("combine", "Make one call from the runs of several places."),
    "places": ("places.command", "Verify from several places at the same time, and make one call."),
    "export": ("export", "Let other systems read a verdict: files, Prometheus, GitHub, Sentry, Grafana."),
    "calibrate": ("calibrate", "Measure on simulated deployments how often the judge is right."),
    "ledger": ("ledger.command", "List runs, show the history, record a decision, prune, export."),
    "rollback": ("rollback", "Roll a deployment back: show the plan, ask, carry it out, verify."),
    "ci": ("ci.__main__", "The steps of a CI job: mask, verify, outputs, summary, annotate, comment, log."),
    "watch": ("watch.command", "Watch a deployment for a while, and call a regression once it is proven."),
    "webhook": ("webhook", "Receive Render's signed webhooks and start a verification for each deployment."),
    "notify": ("notify", "Test the notification channels, or announce a deployment."),
    "maintenance": ("maintenance", "Set our status page to maintenance, and back."),
    "history": ("documents.command", "Write reports/index.html from the ledger."),
    "retrospective": ("documents.command", "Draft the retrospective of a deployment."),
    "incident": ("documents.command", "Draft the page of an incident."),
    "schema": ("schema", "Print the JSON Schema of verdict.json."),
    "openslo": ("openslo", "Export the objectives as OpenSLO, or check a file of them."),
    "render-ids": (
        "render_ids",
        "Ask Render for the ids of our services, and print them as a table.",
    ),
}
_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kamiyo-verify")
def cli() -> None:
    """Commands outside of a pytest run.

    The verification itself is `pytest -m PHASE --env NAME`.
    """


def _command(name: str, module: str, summary: str) -> click.Command:
    @click.command(name, help=summary, short_help=summary, context_settings=_PASS_ON, add_help_option=False)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        main: Callable[[list[str]], int | None] = import_module(f"kamiyo_verify.cli.{module}").main
        words = [name, *arguments] if module == "documents.command" else [*arguments]
        sys.exit(main(words))

    return run


for _name, (_module, _summary) in _COMMANDS.items():
    cli.add_command(_command(_name, _module, _summary))


def main() -> None:
    """Run the command given on the command line."""
    cli(prog_name="kamiyo-verify")


if __name__ == "__main__":
    main()
