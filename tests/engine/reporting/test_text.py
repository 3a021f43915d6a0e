"""Text made inert, numbers made readable."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamiyo_verify.model.figures import counted, duration, percent, quantity
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.writing.text import written_out_in_json
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.inert import inert, one_line
from tests.support.hostile import ENDLESS, HOSTILE, LIVE_CHARACTERS


@pytest.mark.parametrize("write", [inert, one_line, written_out_in_json])
def test_no_live_character_is_left(write: object) -> None:
    assert callable(write)
    assert not set(LIVE_CHARACTERS) & set(write(HOSTILE))


def test_live_characters_stay_readable() -> None:
    assert inert("\x1b[31mred\u202e\t!") == "\\x1b[31mred\\u202e  !"


def test_ordinary_text_is_left_alone() -> None:
    assert inert("Größe ≤ 5 % – 数据 🙂\nsecond line") == "Größe ≤ 5 % – 数据 🙂\nsecond line"


def test_text_is_cut_and_says_so() -> None:
    told = inert(ENDLESS, 100)
    assert told == "A" * 100 + " …"


def test_one_line_has_one_line() -> None:
    assert one_line(" a\r\n\n b\tc ") == "a b c"


@given(st.text(st.characters(), max_size=200))
def test_json_means_the_same_with_live_characters_written_out(text: str) -> None:
    assert json.loads(written_out_in_json(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (212.34, "ms", "212 ms"),
        (24.36, "ms", "24.4 ms"),
        (0.01234, "s", "0.0123 s"),
        (2995, "", "2,995"),
        (0, "ms", "0 ms"),
        (-3.5, "", "-3.5"),
        (0.02466, "share", "2.5 %"),
        (math.inf, "ms", "inf ms"),
        (1e-20, "", "0"),
    ],
)
def test_quantities_have_three_figures(value: float, unit: str, told: str) -> None:
    assert quantity(value, unit) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "0 %"), (1, "100 %"), (0.001, "0.1 %"), (0.9997, "99.97 %"), (0.5, "50 %"), (math.nan, "nan %")],
)
def test_shares_keep_their_distance_to_nothing_and_to_all(share: float, told: str) -> None:
    assert percent(share) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.3401, "340 ms"), (4.21, "4.2 s"), (59.6, "1 min"), (64, "1 min 4 s"), (1.0, "1 s")],
)
def test_durations_have_the_unit_that_suits_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_counts_agree_with_their_noun() -> None:
    assert (counted(1, "item"), counted(2, "item"), counted(1_000, "try", "tries")) == (
        "1 item",
        "2 items",
        "1,000 tries",
    )


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        ((3.0, 1.0, 2.0), "ms", "3 values, median 2 ms, largest 3 ms"),
        ((), "ms", "no values"),
        (True, "", "yes"),
        (None, "", "unknown"),
        ("team", "", "team"),
        (423, "count", "423"),
        (0.25, "share", "25 %"),
    ],
)
def test_measurements_are_told_in_short(
    value: float | str | tuple[float, ...] | None, unit: str, told: str
) -> None:
    assert words.value(Measurement("name", value, unit)) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [("2026-11-23T15:09:58+01:00", "2026-11-23 14:09 UTC"), ("", ""), ("yesterday", "yesterday")],
)
def test_moments_are_told_in_utc(text: str, told: str) -> None:
    assert words.moment(text) == told
