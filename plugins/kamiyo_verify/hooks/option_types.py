"""Types of command-line options: parse and validate their values."""

from __future__ import annotations

import argparse
import math
import re

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_SERVICE = re.compile(r"[a-z][a-z0-9-]*")


def commit_of(text: str) -> str:
    """Return a commit: 7 to 40 hex digits, in lower case.

    Raises:
        argparse.ArgumentTypeError: the text does not have this form.
    """
    if not _COMMIT.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError(f"{text!r} is no commit: 7 to 40 hex digits are")
    return text.lower()


def attestation_of(text: str) -> tuple[str, str]:
    """Return an attestation: the id of the item, and "WHO: WHAT".

    Raises:
        argparse.ArgumentTypeError: the text does not have this form.
    """
    item, _, words = text.partition("=")
    who, _, what = (part.strip() for part in words.partition(":"))
    if not (item.strip() and who and what):
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form ITEM="WHO: WHAT"')
    return item.strip(), f"{who}: {what}"


def place_of(text: str) -> str:
    """Return the name of the place that a run looks from; it occurs in file names and in every report.

    Raises:
        argparse.ArgumentTypeError: the text does not have this form.
    """
    if text and not _PLACE.fullmatch(text):
        raise argparse.ArgumentTypeError(
            "the name of a place has at most 40 letters, digits, '.', '_' or '-', such as frankfurt"
        )
    return text


def seconds_of(text: str) -> float:
    """Return a number of seconds, more than 0 and up to one day.

    Raises:
        argparse.ArgumentTypeError: the text does not have this form.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds between 0 and 86400")
    return seconds


def duration_of(text: str) -> float:
    """Return a duration such as "90", "60s", "30m" or "2h" in seconds.

    Raises:
        argparse.ArgumentTypeError: the text does not have this form, or is 0 or more than a day.
    """
    found = _DURATION.fullmatch(text)
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 60s, 30m or 2h, up to 24h")
    return seconds


def service_url_of(text: str) -> tuple[str, str]:
    """Return the address of a service: its name and the URL.

    Raises:
        argparse.ArgumentTypeError: the text does not have this form.
    """
    name, _, url = text.partition("=")
    if not (_SERVICE.fullmatch(name) and url):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=URL, such as api=https://…")
    return name, url
