"""The fixtures by which checks hear people, and our own status page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from plugins.attestations import word_on
from plugins.checklist import check_of
from plugins.model.attestation import Attestation
from plugins.model.environment import Environment
from plugins.model.outcomes import NoAnswer, Unverified
from plugins.model.status import OwnPage
from plugins.run import RUN


@pytest.fixture
def attestation(request: pytest.FixtureRequest) -> Attestation:
    """A person's word on the item of this check.

    Raises:
        Unverified: there is none that still holds.
    """
    return _word(request)


@dataclass(frozen=True, slots=True)
class Told:
    """What our status page shows, or what a person says of it where we may not look.

    Attributes:
        holds: it is as asked.
        by: who says so, and when.
    """

    holds: bool
    by: str


@pytest.fixture
def told_by_page(
    request: pytest.FixtureRequest, environment: Environment
) -> Callable[[Callable[[OwnPage], bool]], Told]:
    """Asks something of our own status page; where its API can not tell, a person's word counts."""

    def told(question: Callable[[OwnPage], bool]) -> Told:
        try:
            _credential_given(environment)
            page: OwnPage = request.getfixturevalue("own_page")
        except (Unverified, NoAnswer) as silence:
            try:
                word = _word(request)
            except Unverified as waiting:
                if isinstance(silence, NoAnswer):
                    raise silence from None
                raise Unverified(f"{waiting} ({silence})") from None
            return Told(holds=True, by=str(word))
        return Told(holds=question(page), by="the status page's API")

    return told


def _credential_given(environment: Environment) -> None:
    pages = environment.status_pages
    if pages is not None and not pages.own_key.present:
        raise Unverified(f"{pages.own_key.name} (status_pages.own_key) is not set")


def _word(request: pytest.FixtureRequest) -> Attestation:
    check = check_of(request.node)
    if check is None:
        raise RuntimeError("only a check has an item that a person can vouch for")
    return word_on(check.item.id, request.config.stash[RUN].attestations, datetime.now(UTC))
