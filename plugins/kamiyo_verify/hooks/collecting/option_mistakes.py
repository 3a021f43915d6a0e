"""Mistakes in options, on one line: what argparse says without its usage, and options that nobody knows."""

from __future__ import annotations

import copy
import re

import pytest

from kamiyo_verify.config.mistakes import did_you_mean

_GROUPS = ("kamiyo-verify", "general", "terminal reporting", "collect")


def on_one_line(problem: str) -> str:
    """Return argparse's message without its usage, and with the choice that was probably meant."""
    found = re.search(r"error: (?:argument )?(.+)", problem)
    description = found[1] if found else problem
    wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", description)
    return description + did_you_mean(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else description


def refuse_unknown(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Refuse options that no plugin knows; pytest itself would add its usage and its folders.

    Raises:
        pytest.UsageError: the first unknown option, and the one that was probably meant.
    """
    _, unknown = parser.parse_known_and_unknown_args(args, copy.copy(config.option))
    option = next((word.partition("=")[0] for word in unknown if word.startswith("-")), None)
    if option is not None:
        options = [one for name in _GROUPS for one in parser.getgroup(name).options]
        known = [name for one in options for name in one.names()]
        raise pytest.UsageError(f"{option}: there is no such option{did_you_mean(option, known)}")
