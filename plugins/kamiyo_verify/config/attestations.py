"""Load attestations from --attest and attestations/<commit>.toml; validated before the run starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from kamiyo_verify.config.draft import ConfigurationError, Draft, shown
from kamiyo_verify.config.mistakes import Mistake, did_you_mean, explain
from kamiyo_verify.model.attestation import Attestation, AttestationFile
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.runbook import Runbook

FOLDER = "attestations"
WAITING = 'waiting for a person: --attest ITEM="WHO: WHAT", or attestations/<commit>.toml'

_AHEAD = timedelta(minutes=5)
"""Allowed clock difference before a time counts as in the future."""


def load_attestations(
    runbook: Runbook, *, said: Mapping[str, str], commit: str, folders: Iterable[Path], now: datetime
) -> dict[str, Attestation]:
    """Return the latest attestation of each item, including expired ones.

    Args:
        runbook: says which items are manual.
        said: "WHO: WHAT" by item id, from the command line; dated now, for the requested commit.
        commit: the requested commit; without one, no files are read, because they are for other releases.
        folders: folders that may hold attestation files; they need not exist.
        now: the current time, timezone-aware.

    Raises:
        ConfigurationError: a file or the command line has mistakes; the message lists all of them.
    """
    found: dict[str, Attestation] = {}
    for path in dict.fromkeys(_files(folders, commit)):
        for word in _read(path, runbook, now):
            if word.item not in found or found[word.item].when < word.when:
                found[word.item] = word
    return found | {item: _spoken(item, words, runbook, now) for item, words in said.items()}


def word_on(item: str, words: Mapping[str, Attestation], now: datetime) -> Attestation:
    """Return the valid attestation of an item.

    Raises:
        Unverified: there is none, or it has expired.
    """
    word = words.get(item)
    if word is None:
        raise Unverified(WAITING)
    if word.until <= now:
        raise Unverified(f"{WAITING}; the word of {word} expired at {word.until:%Y-%m-%d %H:%M} UTC")
    return word


def _files(folders: Iterable[Path], commit: str) -> Iterator[Path]:
    for folder in folders if commit else ():
        for path in sorted(folder.resolve().glob("*.toml")):
            if not re.fullmatch(r"[0-9a-f]{7,40}", path.stem):
                raise ConfigurationError(
                    f"{shown(path)}: is named after no commit: 7 to 40 hex digits, small letters"
                )
            if same_commit(path.stem, commit):
                yield path


def _read(path: Path, runbook: Runbook, now: datetime) -> Sequence[Attestation]:
    def rules(file: AttestationFile) -> Iterator[Mistake]:
        if not same_commit(file.commit, path.stem):
            yield Mistake(("commit",), "is another commit than the one that the file is named after")
        if not file.attestations:
            yield Mistake(("attestations",), "must not be empty")
        for number, word in enumerate(file.attestations):
            row = ("attestations", number)
            if problem := _not_by_hand(word.item, runbook):
                yield Mistake((*row, "item"), problem)
            if word.when > now + _AHEAD:
                yield Mistake((*row, "when"), "is in the future: nobody can vouch for what is yet to be done")
            if word.expires is not None and word.expires <= word.when:
                yield Mistake((*row, "expires"), "must be later than when")

    return Draft.read(path).validated(AttestationFile, rules).attestations


def _spoken(item: str, words: str, runbook: Runbook, now: datetime) -> Attestation:
    problem = _not_by_hand(item, runbook)
    who, _, what = words.partition(": ")
    if not problem:
        try:
            return Attestation.model_validate(
                {"item": item, "who": who, "what": what, "when": now.isoformat()}
            )
        except ValidationError as error:
            problem = "; ".join(
                f"{mistake.loc[0]} {mistake.problem}" for mistake in explain(error, Attestation)
            )
    raise ConfigurationError(f"--attest {item}: {problem}")


def _not_by_hand(item_id: str, runbook: Runbook) -> str:
    """Return why an item cannot be attested, or ""."""
    item = runbook.item(item_id)
    if item is not None and item.manual:
        return ""
    if item is not None:
        return f"{item_id} is checked by this suite, nobody can vouch for it{_choices(runbook, item_id)}"
    meant = did_you_mean(item_id, [row.id for row in runbook.items])
    return f'the runbook has no item "{item_id}"{meant or _choices(runbook, item_id)}'


def _choices(runbook: Runbook, item_id: str) -> str:
    """List the manual items of the phase, or all manual items if the phase has none."""
    manual = [row for row in runbook.items if row.manual]
    near = [row.id for row in manual if row.phase == item_id.partition(".")[0]] or [row.id for row in manual]
    return f"; people vouch for: {', '.join(near)}" if near else ""
