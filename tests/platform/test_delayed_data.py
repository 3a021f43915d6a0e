"""Data that an API delays for some callers: compared with more room, and said."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from kamiyo_platform.data_fixtures import why_delayed
from kamiyo_verify.config.environment import Api
from kamiyo_verify.model.counts import CountsRound, RowCounts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Tier

KEY = Credential(name="KAMIYO_API_KEY", value=SecretStr("key"))
ROUND = CountsRound({"health": 4_812, "exploits": 4_700}, 0.2)


@pytest.mark.parametrize(
    ("api", "why"),
    [
        (Api(), "no key is sent"),
        (Api(key=KEY, tier=Tier.FREE), 'the key is of the tier "free"'),
        (Api(key=KEY, tier=Tier.ANONYMOUS), 'the key is of the tier "anonymous"'),
        (Api(key=KEY, tier=Tier.PRO), ""),
        (Api(key=KEY), ""),
    ],
    ids=["no-key", "free", "anonymous", "pro", "team"],
)
def test_who_may_be_served_delayed_data(api: Api, why: str) -> None:
    assert why_delayed(api) == why


def test_the_report_says_where_the_newest_day_may_be_missing() -> None:
    found = RowCounts((ROUND,), "no key is sent")
    assert found.coverage == "may leave out the newest day, as no key is sent: compared within 20%"
    assert RowCounts((ROUND,)).coverage == "up to now"


def test_delayed_data_still_contradict_where_most_rows_are_missing() -> None:
    gone = CountsRound({"health": 4_812, "exploits": 12}, 0.2)
    assert RowCounts((gone,) * 3, "no key is sent").contradiction
