"""The options of commands that serve a page: --serve, --bind, --port."""

from __future__ import annotations

import argparse
from importlib.util import find_spec

from kamiyo_verify.model.figures import listed

OPEN_TO_ALL = "Everyone who reaches this address can read the page and the reports: there is no sign-in."


def add_serve_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Add them; `what` is the help of --serve."""
    parser.add_argument("--serve", action="store_true", help=what)
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS", help="to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8765, metavar="N", help="0: a free one (%(default)s)")


def require_server() -> None:
    """Check that the packages are there.

    Raises:
        LookupError: they are not; the message says how to get them.
    """
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        needed = "pip install 'kamiyo-verify[receiver]'"
        raise LookupError(f"{listed(missing)} not installed; --serve needs: {needed}")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 to 65,535")
    return int(text)
