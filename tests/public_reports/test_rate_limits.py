"""How long a server asks to wait, in the headers that people report.

Each case is named by the public report that it comes from. A wait that is read as too long leaves items
untried; one that is read as too short meets the limit again.
"""

from __future__ import annotations

import pytest

from kamiyo_verify.http.throttle import retry_after

Report = pytest.param
NOW = 1_711_483_200.0 - 12  # twelve seconds before 2024-03-26T20:00:00Z
AT = 1_711_483_200


@pytest.mark.parametrize(
    "headers",
    [
        Report({"retry-after": "12"}, id="metabrainz/brainzutils-python#108"),
        Report({"retry-after": f"{AT}"}, id="cloudfoundry/cloud_controller_ng#2544"),
        Report({"retry-after": "Tue, 26 Mar 2024 20:00:00 GMT"}, id="alisaifee/flask-limiter#48"),
        Report({"x-ratelimit-reset": f"{AT}"}, id="zalando/restful-api-guidelines#379, GitHub's"),
        Report({"x-ratelimit-reset": "12"}, id="utksh1/SecuScan#1838"),
        Report({"x-ratelimit-reset": f"{AT}000"}, id="RocketChat/docs-old#1358"),
        Report({"x-ratelimit-reset": f"{AT}000000"}, id="pubg/api-documentation-content#61"),
        Report(
            {"x-ratelimit-reset": f"{AT}000000000"}, id="pubg/api-documentation-content#61, as documented"
        ),
        Report({"x-rate-limit-reset": f"{AT}"}, id="tradegecko/smaug#41"),
        Report({"x-ratelimit-reset-after": "12.0"}, id="abalabahaha/eris#1256"),
        Report({"x-ratelimit-reset": "2024-03-26T20:00:00Z"}, id="anthropics/anthropic-sdk-typescript#357"),
        Report({"x-ratelimit-reset": "2024-03-26T20:00:00+00:00"}, id="basecamp/bc-api#84"),
        Report({"x-ratelimit-reset": "2024-03-26 20:00:00"}, id="a date without a zone"),
        Report(
            {"ratelimit": "limit=100, remaining=0, reset=12"}, id="express-rate-limit/express-rate-limit#376"
        ),
        Report({"ratelimit": '"dynamic";r=0;t=12'}, id="ietf-wg-httpapi/ratelimit-headers#160"),
        Report({"ratelimit": '"burst";r=9;t=3, "day";r=0;t=12'}, id="several policies: the longest"),
    ],
)
def test_the_wait_is_read_in_every_unit(headers: dict[str, str]) -> None:
    assert retry_after(headers, NOW) == pytest.approx(12)


@pytest.mark.parametrize(
    "headers",
    [
        Report({"x-ratelimit-reset": f"{AT - 60}"}, id="withcoral/coral#89"),
        Report({"x-ratelimit-reset": f"{AT - 60}000"}, id="ivolo/express-rate#2"),
        Report({}, id="liwala/ay-framework#178"),
        Report({"retry-after": "15.314 secs"}, id="zulip/zulip#4831"),
        Report({"retry-after": ""}, id="mediacloud/web-search#1172"),
        Report({"ratelimit": "limit=100, remaining=0"}, id="a draft without a reset"),
        Report({"ratelimit": '"at=99";r=0'}, id="a policy whose name looks like a reset"),
    ],
)
def test_a_wait_that_is_over_or_that_nobody_names_is_one_second(headers: dict[str, str]) -> None:
    assert retry_after(headers, NOW) == 1


@pytest.mark.parametrize(
    "value", ["86401", "1e300", f"{AT + 10**7}", f"{AT + 10**7}000", "9999-12-31T00:00:00Z"]
)
def test_no_wait_is_longer_than_a_day(value: str) -> None:
    assert retry_after({"x-ratelimit-reset": value}, NOW) == 86_400


def test_the_wait_itself_comes_before_the_reset() -> None:
    """ioggstream/draft-polli-ratelimit-headers#3."""
    assert (
        retry_after({"retry-after": "20", "ratelimit": '"d";r=15;t=40', "ratelimit-reset": "40"}, NOW) == 20
    )
