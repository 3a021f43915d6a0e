"""Recognise that one page is shown for every path, such as one of maintenance, parking or a challenge.

Whoever shows it, no code of the release answered: whether that works does not show.
"""

from __future__ import annotations

from collections.abc import Iterator

from kamiyo_verify.judge.attribution.failures import origin
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.figures import listed
from kamiyo_verify.model.outcomes import ONE_PAGE
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Status

SEE_THE_PAGE = "see who shows that page, and whether it is meant"
"""What to do about it, for a next step."""


def one_page(evidence: Evidence, result: Result) -> str:
    """Return why an item's failure shows nothing of the release; "" if its service shows itself anywhere.

    A title that is found, or any other failure of a service, is a sign that it answers itself.
    """
    if result.status is not Status.FAILED or ONE_PAGE not in result.message:
        return ""
    addresses = frozenset(origin(sent) for sent in result.exchanges)
    if not all(ONE_PAGE in one.message for one in _that_show_more(evidence, addresses)):
        return ""
    return f"{listed(sorted(addresses))} shows one page for every path, such as one of maintenance or parking"


def one_page_headline(evidence: Evidence) -> str:
    """Return in a headline's words which addresses show one page for every path; "" if none does."""
    found = dict.fromkeys(filter(None, (one_page(evidence, result) for _, result in evidence.outcomes)))
    return f"{', and '.join(found)}: whether the release works does not show" if found else ""


def _that_show_more(evidence: Evidence, addresses: frozenset[str]) -> Iterator[Result]:
    """Yield the items that passed or failed by an answer of these addresses."""
    for _, one in evidence.outcomes:
        judged = one.status in {Status.PASSED, Status.FAILED}
        if judged and any(origin(sent) in addresses for sent in one.exchanges):
            yield one
