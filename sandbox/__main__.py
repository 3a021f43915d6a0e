"""`python -m sandbox`: the whole platform on this machine, until standard input is closed."""

from __future__ import annotations

import argparse
import asyncio
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from sandbox.faults import FAULTS
from sandbox.forms import FORMS
from sandbox.guard import Guard
from sandbox.outside.scenes import Scene
from sandbox.outside.world import DEPLOY_S, DOWNTIME_S
from sandbox.pooler import Pooler, PoolerFailed
from sandbox.postgres import Postgres, PostgresFailed
from sandbox.unprivileged import temporary_folder

_ABOUT = """\
A stand-in of the whole Kamiyo platform on free ports of 127.0.0.1: the API with live updates, the website
with sign-in and the payment webhook, and a real PostgreSQL, filled with a few hundred invented exploits.

When it is ready it prints one line of JSON: settings, credentials and the address of its switchboard. It
ends, and leaves nothing behind, when its standard input closes, on SIGTERM and on Ctrl-C.

Faults can be switched while it runs:
  curl -X POST   CONTROL_URL/faults/NAME    on
  curl -X DELETE CONTROL_URL/faults/NAME    off
  curl -X DELETE CONTROL_URL/faults         all off
  curl           CONTROL_URL/faults         which are on, and what each means
  curl -X POST   CONTROL_URL/scenes/deploy  another scene; this one begins a deploy
  curl -X POST   CONTROL_URL/pushes         a push to main: it is deployed where auto-deploy is on

Around it are Render, Sentry, GitHub, Stripe, PagerDuty and status pages, as their own APIs show it.

Its secrets are new each time, unless the process environment has them: SANDBOX_API_KEY, SANDBOX_ADMIN_KEY,
SANDBOX_NEXTAUTH_SECRET, SANDBOX_SESSION_TOKEN, SANDBOX_EMAIL, SANDBOX_PASSWORD, SANDBOX_WEBHOOK_SECRET,
SANDBOX_DATABASE_PASSWORD, SANDBOX_RENDER_API_KEY, SANDBOX_SENTRY_AUTH_TOKEN, SANDBOX_SENTRY_DSN,
SANDBOX_STRIPE_API_KEY, SANDBOX_GITHUB_TOKEN, SANDBOX_STATUSPAGE_API_KEY, SANDBOX_PAGERDUTY_TOKEN."""


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox; return 0 if it ended on request, 1 if it failed."""
    chosen = _parser().parse_args(arguments)
    try:
        folder = temporary_folder()
    except (LookupError, OSError) as failure:
        return _failed(str(failure))
    guard = Guard(folder)
    postgres: Postgres | None = None
    problem = ""
    try:
        postgres = Postgres(folder, guard)
        from sandbox.running import Options, run  # noqa: PLC0415 - imports while initdb works

        options = Options(
            heartbeat_s=chosen.heartbeat,
            latency_ms=chosen.latency,
            faults=tuple(chosen.fault),
            release_faults=tuple(chosen.release_fault),
            commit=chosen.commit,
            scene=Scene(chosen.scene),
            deploy_s=chosen.deploy_seconds,
            downtime_s=chosen.downtime_seconds,
            forms=frozenset(chosen.form),
            authority=chosen.tls,
        )
        problem = asyncio.run(run(options, postgres, Pooler(folder, guard), folder))
    except ModuleNotFoundError as missing:
        problem = f"{missing.name} is not installed; the sandbox needs: pip install 'kamiyo-verify[sandbox]'"
    except (PostgresFailed, PoolerFailed, OSError) as failure:
        problem = str(failure)
    except KeyboardInterrupt:
        pass  # Ctrl-C before the signal handlers were installed
    finally:
        guard.finish(postgres.reap if postgres else lambda: None)
    return _failed(problem) if problem else 0


def _failed(problem: str) -> int:
    sys.stderr.write(f"sandbox: {problem}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description=_ABOUT,
        epilog=f"forms:\n{_in_columns(FORMS)}\n\nfaults:\n{_in_columns(FAULTS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--heartbeat",
        type=_positive,
        default=2.0,
        metavar="SECONDS",
        help="between two heartbeats of /ws; 60 on the real platform (default: %(default)s)",
    )
    parser.add_argument(
        "--latency",
        type=_positive,
        default=20.0,
        metavar="MS",
        help="what the API takes to answer, at the least (default: %(default)s)",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        choices=FAULTS,
        metavar="NAME",
        help="on from the start; repeatable",
    )
    parser.add_argument(
        "--release-fault",
        action="append",
        default=[],
        type=_of_service,
        metavar="SERVICE:NAME",
        help="of those that answers show: on for as long as that service (api, frontend) runs the commit that"
        " is released, so that a rollback mends it; repeatable",
    )
    parser.add_argument(
        "--form",
        action="append",
        default=[],
        choices=FORMS,
        metavar="NAME",
        help="what kind of platform it is, for as long as it runs; repeatable",
    )
    parser.add_argument(
        "--tls",
        type=Path,
        metavar="FILE",
        help="serve the API and the website over https; the certificate of the authority that signed theirs"
        " is written to FILE, for SSL_CERT_FILE",
    )
    parser.add_argument(
        "--commit",
        default="",
        metavar="SHA",
        help="the commit that is released (default: that of the checkout)",
    )
    parser.add_argument(
        "--scene",
        default=Scene.POSTDEPLOY.value,
        choices=[scene.value for scene in Scene],
        help="how far the release of the commit has come; in the deploy scene its deploy begins when the"
        " sandbox is ready (default: %(default)s)",
    )
    parser.add_argument(
        "--deploy-seconds",
        type=_positive,
        default=DEPLOY_S,
        metavar="SECONDS",
        help="how long a deploy takes that begins while the sandbox runs (default: %(default)s)",
    )
    parser.add_argument(
        "--downtime-seconds",
        type=_positive,
        default=DOWNTIME_S,
        metavar="SECONDS",
        help="how long both services are away during it under the fault downtime-40s (default: %(default)s)",
    )
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _of_service(text: str) -> tuple[str, str]:
    service, _, fault = text.partition(":")
    if service not in {"api", "frontend"} or fault not in FAULTS:
        raise argparse.ArgumentTypeError(f"{text} is not of the form api:FAULT or frontend:FAULT")
    return service, fault


def _in_columns(meanings: Mapping[str, str]) -> str:
    indent = " " * 30
    return "\n".join(
        textwrap.fill(f"  {name:<28}{meaning}", 110, subsequent_indent=indent)
        for name, meaning in meanings.items()
    )


if __name__ == "__main__":
    sys.exit(main())
