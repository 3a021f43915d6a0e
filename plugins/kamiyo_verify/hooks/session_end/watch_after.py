"""`--watch TIME`: after a verdict that needs nobody at once, watch the deployment for so long.

The watch is `kamiyo-verify watch` in a process of its own, with the words of this command line: the same as
`pytest … && kamiyo-verify watch …`, and a deployment that is to be fixed forward is watched as well.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from types import FrameType

import pytest

from kamiyo_verify.hooks.option_types import duration_of
from kamiyo_verify.hooks.options import Mode, mode_of
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.figures import duration

_WATCHED = (ExitCode.PROCEED, ExitCode.HOLD_OR_FIX_FORWARD)
_EVERY_S, _MOST_ROUNDS = 60.0, 500

_OF_A_WATCH = "KAMIYO_VERIFY_OF_A_WATCH"
"""Set for the rounds of a watch, which watch nothing themselves, whatever PYTEST_ADDOPTS says."""

_WITH_VALUE = frozenset(
    {"-m", "--env", "--watch", "--report-dir", "--on-roll-back", "--junit-xml", "--junitxml", "--html"}
)
"""Words that are about the first run alone, or are given to the watch in another way."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("kamiyo-verify").addoption(
        "--watch",
        type=duration_of,
        metavar="TIME",
        help="after a verdict to proceed or to fix forward, watch the deployment so long, such as 30m; the"
        " exit code is the watch's (see kamiyo-verify watch)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int, int]:
    """Run the session, then the watch."""
    for_s = config.getoption("watch")
    wanted = for_s is not None and not hasattr(config, "workerinput") and _OF_A_WATCH not in os.environ
    if wanted and (mode_of(config) is not Mode.VERIFY or config.getoption("baseline")):
        raise pytest.UsageError("--watch: only a run that verifies a deployment can be followed by a watch")
    code = yield
    if not wanted:
        return code
    if code not in _WATCHED:
        _say("no watch: it follows a verdict to proceed or to fix forward")
        return code
    _say(f"watch for {duration(for_s)}, after this verdict:")
    every_s = max(min(_EVERY_S, for_s), for_s / _MOST_ROUNDS)
    about = (f"--env={config.getoption('env')}", "-m", config.option.markexpr)
    words = watch_words(config.invocation_params.args)
    return _watch([f"--for={for_s:g}s", f"--every={every_s:g}s", *about, *words])


def watch_words(words: Sequence[str]) -> Iterator[str]:
    """Yield those words of the command line that are for the rounds as well."""
    left_out = False
    for word in words:
        name, sign, _ = word.partition("=")
        if left_out:
            left_out = False
        elif name in _WITH_VALUE:
            left_out = not sign
        else:
            yield word


def _watch(arguments: Sequence[str]) -> int:
    command = [sys.executable, "-m", "kamiyo_verify.cli", "watch", *arguments]
    process = subprocess.Popen(command, env={**os.environ, _OF_A_WATCH: "1"})  # noqa: S603 - no shell
    # Ctrl-C reaches the watch as well, which ends by it; what ends this process ends the watch.
    before = signal.signal(signal.SIGINT, lambda *_: None), signal.signal(signal.SIGTERM, _pass_on(process))
    try:
        return process.wait()
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)


def _pass_on(process: subprocess.Popen[bytes]) -> Callable[[int, FrameType | None], None]:
    return lambda number, _: process.send_signal(number)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
