"""The GitHub workflow of a new project."""

from __future__ import annotations

import json
from importlib.metadata import version

from kamiyo_verify.cli.init.repository import WORKFLOW_TITLE
from kamiyo_verify.cli.init.wanted import Wanted

_WORKFLOW = (
    WORKFLOW_TITLE,
    "on: deployment_status",
    "permissions: {contents: read}",
    "jobs:",
    "  verify:",
    "    if: github.event.deployment_status.state == 'success'",
    "    runs-on: ubuntu-latest",
)
_STEPS = (
    "    steps:",
    "      - uses: actions/checkout@df4cb1c069e1874edd31b4311f1884172cec0e10 # v6.0.3",
    "      - uses: actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0",
    "        with: {python-version: '3.12'}",
)
_WITHOUT_COMMIT = "  # without --commit: see environments/prod.toml"


def workflow_of(wanted: Wanted) -> str:
    """Return the text of the GitHub workflow, which belongs into the root of the repository.

    It passes the commit only where every service reports its own: otherwise no call would be `proceed`.
    """
    within, commit = wanted.repository.within, not wanted.reports_no_commit
    asked = "--env prod --phases postdeploy" + (' --commit "$COMMIT"' if commit else "")
    variables = [f"      {one}: ${{{{ secrets.{one} }}}}" for one in wanted.variables]
    variables += ["      COMMIT: ${{ github.event.deployment.sha }}"] if commit else []
    lines = [
        *_WORKFLOW,
        *([f"    defaults: {{run: {{working-directory: {json.dumps(within)}}}}}"] if within != "." else []),
        *(["    env:", *variables] if variables else []),
        *_STEPS,
        f"      - run: pip install {_package(wanted)}",
        "      - run: |",
        "          kamiyo-verify ci mask --env prod",
        f"          kamiyo-verify ci verify {asked} reports/ci{'' if commit else _WITHOUT_COMMIT}",
        "          kamiyo-verify ci summary reports/ci",
        "          kamiyo-verify ci exit reports/ci",
    ]
    return "\n".join(lines) + "\n"


def _package(wanted: Wanted) -> str:
    extra = "[kubernetes]" if wanted.host.kind == "kubernetes" else ""
    found = f"kamiyo-verify{extra}=={version('kamiyo-verify')}"
    return f"'{found}'" if extra else found
