"""What several runs must have in common before they can be combined, and which places do not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import duration, listed
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action

_CLOCKS_S = 300.0
"""Seconds by which clocks of different machines may differ."""


class CannotCombine(Exception):
    """These runs say nothing about one deployment; the message gives the reason and what to do."""


def require_alike(runs: Sequence[Verdict], now: datetime, within: timedelta) -> None:
    """Require runs of different places, of one deployment, that ended recently.

    Raises:
        CannotCombine: they are not.
    """
    if any(run.places for run in runs):
        raise CannotCombine("one of them is a combination already: name the runs that it was made from")
    if len(runs) > 1:
        _require_places(runs)
    _require_same("projects", {run.place: run.project for run in runs})
    _require_same("environments", {run.place: run.environment for run in runs})
    _require_same("phases", {run.place: run.phase for run in runs})
    if len(runs) > 1:
        _require_one_commit(runs)
    _require_fresh(runs, now, within)


def _require_same(words: str, by_place: Mapping[str, str]) -> None:
    if len({*by_place.values()}) > 1:
        description = "; ".join(f"{place}: {value or 'none'}" for place, value in by_place.items())
        raise CannotCombine(f"runs of different {words} say nothing about each other: {description}")


def _require_places(runs: Sequence[Verdict]) -> None:
    if not all(run.place for run in runs):
        raise CannotCombine("a run has no place: start each with --place NAME, or set KAMIYO_VERIFY_PLACE")
    twice = [place for place, count in Counter(run.place for run in runs).items() if count > 1]
    if twice:
        raise CannotCombine(f"{listed(twice)}: more than one run; name one run of each place")


def _require_one_commit(runs: Sequence[Verdict]) -> None:
    commits = {run.place: commit_of(run) for run in runs if commit_of(run)}
    missing = [run.place for run in runs if run.place not in commits and not left_out(run)]
    if missing or not commits:
        where = listed(missing or [run.place for run in runs])
        raise CannotCombine(f"the commit is not known at {where}: start each run with --commit SHA")
    longest = max(commits.values(), key=len)
    if not all(same_commit(longest, commit) for commit in commits.values()):
        description = "; ".join(f"{place}: {commit[:12]}" for place, commit in commits.items())
        raise CannotCombine(f"runs of different commits say nothing about each other: {description}")


def _require_fresh(runs: Sequence[Verdict], now: datetime, within: timedelta) -> None:
    for run in runs:
        try:
            age = (now - datetime.fromisoformat(run.finished_at)).total_seconds()
        except (TypeError, ValueError):
            raise CannotCombine(f"{run.place or 'the run'}: when it ended is not known") from None
        if age > within.total_seconds():
            raise CannotCombine(
                f"{run.place or 'the run'}: it ended {duration(age)} ago, and at most"
                f" {duration(within.total_seconds())} count: run it again"
            )
        if age < -_CLOCKS_S:
            raise CannotCombine(f"{run.place or 'the run'}: it ended in the future: set that machine's clock")


def commit_of(run: Verdict) -> str:
    """Return the commit that was requested, else the commit that answered, or ""."""
    return run.commit or run.deployment.seen.commit


def left_out(run: Verdict) -> str:
    """Return why a run does not count among several, or ""."""
    if not run.network_in_doubt:
        return ""
    count = len(run.network_in_doubt)
    items = f"{run.network_in_doubt[0]}{f' and {count - 1} more' if count > 1 else ''}"
    return f"its own network is in doubt: {items} got no answer, and neither did a control address"


def own_call(run: Verdict) -> Action:
    """Return the call of a run; a run that did not end with the exit code of its call has made none."""
    return run.recommendation if run.exit_code == run.recommendation.exit_code else Action.INCONCLUSIVE
