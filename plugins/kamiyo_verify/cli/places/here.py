"""The part of `kamiyo-verify places run` that runs at a place: `kamiyo-verify places here`.

It says what this place has, waits for the word to begin, runs pytest, and says how that ended. When its
standard input closes, it ends the run: whoever started it has ended, was killed or lost the connection.
Credentials are those of this place: its process environment and its .env.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kamiyo_verify.cli.places.identity import identity_of
from kamiyo_verify.cli.places.protocol import GO, Ending, Greeting, line_of
from kamiyo_verify.config.dotenv_file import read_dotenv
from kamiyo_verify.hooks.option_types import place_of, seconds_of
from kamiyo_verify.model.exit_codes import ExitCode

OUTPUT = "output.txt"
"""What pytest prints, in the report folder."""

GRACE_S = 20.0
"""Seconds in which a run that is ended can still write its report."""

_TAIL_BYTES = 4_096


def main(arguments: Sequence[str] | None = None) -> int:
    """Run here; return pytest's exit code, or 2 if the run did not begin or was ended."""
    asked, more = _parser().parse_known_args(arguments)
    root = Path.cwd()
    _tell(line_of(Greeting(identity=identity_of(root), missing=tuple(_missing(asked.variables, root)))))
    if sys.stdin.readline().strip() != GO:
        return int(ExitCode.INTERRUPTED)
    asked.report_dir.mkdir(parents=True, exist_ok=True)
    with _over_when_left() as over, (asked.report_dir / OUTPUT).open("wb") as output:
        code = _run(_command(asked, more), over, output.fileno(), asked.within)
    if code is None:
        return int(ExitCode.INTERRUPTED)
    _tell(line_of(Ending(exit_code=code, last_line=_last_line(asked.report_dir / OUTPUT))))
    return code


def _command(asked: argparse.Namespace, more: Sequence[str]) -> list[str]:
    folder, place = f"--report-dir={asked.report_dir}", f"--place={asked.place}"
    commit = [f"--commit={asked.commit}"] if asked.commit else []
    chosen = ["-m", asked.mark, f"--env={asked.env}", *commit]
    return [sys.executable, "-m", "pytest", folder, place, "--no-notify", *chosen, *more]


def _run(command: Sequence[str], over: threading.Event, output: int, within_s: float) -> int | None:
    """Run pytest; return its exit code, or None if it was ended."""
    process = subprocess.Popen(  # noqa: S603 - no shell; pytest validates its own arguments
        command,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    over.wait(within_s)
    if ended.is_set():
        return process.returncode
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    ended.wait(GRACE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    ended.wait()
    return None


@contextmanager
def _over_when_left() -> Iterator[threading.Event]:
    """Yield an event that is set once standard input closes, or a signal asks this process to end."""
    over = threading.Event()

    def read() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 1_024):
                pass
        over.set()

    threading.Thread(target=read, daemon=True).start()
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: over.set()) for number in numbers]
    try:
        yield over
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _missing(names: Collection[str], root: Path) -> Iterator[str]:
    """Yield the names of variables that are set neither in the process environment nor in .env."""
    written = read_dotenv(root / ".env")
    for name in names:
        if not (os.environ.get(name, "").strip() or (written.get(name) or "").strip()):
            yield name


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _tell(line: str) -> None:
    with contextlib.suppress(OSError):  # whoever started it has gone, and standard input says so
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kamiyo-verify places here",
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--env", required=True, metavar="NAME", help="the environment")
    add("--place", required=True, type=place_of, metavar="NAME", help="the name of this place")
    add("-m", dest="mark", required=True, metavar="EXPR", help="what is selected")
    add("--commit", default="", metavar="SHA", help="the commit that should be answering")
    add("--report-dir", required=True, type=Path, metavar="DIR", help="the folder of the report")
    add("--within", required=True, type=seconds_of, metavar="SECONDS", help="end the run after this time")
    needed = "a variable that must be set here; may be repeated"
    add("--variable", dest="variables", action="append", default=[], metavar="NAME", help=needed)
    return parser
