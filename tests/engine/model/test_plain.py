"""What Python prints of a value is no sentence: it is written as words, and what is no repr stays."""

from __future__ import annotations

import json
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamiyo_verify.model.writing.plain import plain, without_reprs
from tests.support.stopwatch import Stopwatch


class Colour(Enum):
    RED = "red"


class Thing: ...


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"health": 0, "ready": 12}, "health: 0, ready: 12"),
        (
            {"status": "degraded", "checks": {"database": "down", "redis": True}},
            "status: degraded, checks: (database: down, redis: yes)",
        ),
        (["a", "b"], "a, b"),
        ({"b", "a"}, "a, b"),
        ([], "nothing"),
        ({}, "nothing"),
        ({"rows": []}, "rows: nothing"),
        ({"rows": [{"id": 1}]}, "rows: id: 1"),
        ({"at": None}, "at: nothing"),
        (list(range(20)), "0, 1, 2, 3, 4, 5 and 14 more"),
    ],
)
def test_a_value_in_a_message_is_written_as_words(value: object, words: str) -> None:
    assert without_reprs(f"got {value}: rows are gone") == f"got {words}: rows are gone"


@pytest.mark.parametrize(
    "text",
    [
        'answered 500 where 200 was expected: {"detail": "boom", "ok": true}',
        'answered {"detail": "it\'s"}',
        "[services.api] commit names no header",
        "wait[0] and rows[12] are missing",
        "{never closed",
        "a set {of words} in braces",
        "GET /{id} answers 500",
        "",
    ],
)
def test_what_python_would_not_print_stays_as_it_is(text: str) -> None:
    assert without_reprs(text) == text


def test_objects_classes_and_members_lose_their_brackets() -> None:
    told = without_reprs(f"{Thing()!r} of {Thing} is {Colour.RED!r}")
    assert told == "a Thing of a Thing is red"


def test_a_value_is_bounded_however_large_it_is() -> None:
    huge = {f"key{number}": "x" * 500 for number in range(50)}
    assert len(plain(huge)) <= 160
    assert "{" not in without_reprs(f"{huge} differ")
    watch = Stopwatch()
    without_reprs("[{" * 20_000)
    assert watch.seconds < 5


@given(VALUES.filter(lambda value: isinstance(value, dict | list)))
def test_no_value_is_left_as_python_prints_it(value: object) -> None:
    told = without_reprs(f"it is {value}.")
    assert told == f"it is {plain(value)}."
    assert json.loads(json.dumps(told)) == told
