"""JSON from outside is read in one place, and what readers do not agree on is refused."""

from __future__ import annotations

import json

import pytest

from kamiyo_verify.http.json_text import UnreadableJson, read_json


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"total": 12, "total": 4812}', "a name twice"),
        (b'[{"a": {"b": 1, "b": 1}}]', "a name twice"),
        (b'{"a": 1, "\\u0061": 2}', "a name twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e400]", "out of range"),
        (b"[-1e999]", "out of range"),
        (b"[1" + b"0" * 30 + b"]", "out of range"),
        (b"[" + b"9" * 5_000 + b"]", "out of range"),
        (b"[" * 100_000, "no JSON|too deep"),
        (b"[" * 150 + b"]" * 150, "too deep"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "too deep"),
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        (b"{'a': 1}", "no JSON"),
        (b'{"a": 1} {"b": 2}', "no JSON"),
        (b'["\xff"]', "no JSON"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_readers_do_not_agree_on_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(UnreadableJson, match=why):
        read_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        (b'{"a": 0.1, "b": 18446744073709551615}', {"a": 0.1, "b": 2**64 - 1}),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b'["\\\\ud800"]', ["\\ud800"]),
    ],
)
def test_what_they_agree_on_is_read(text: bytes, value: object) -> None:
    assert read_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b'{"title": "a\\ud800b"}',
        b'{"title": "a\\uDC00b"}',
        b'{"title": "a\xed\xa0\x80b"}',
        '{"title": "a\ud800b"}',
    ],
    ids=["escaped", "escaped-low", "raw", "text"],
)
def test_half_a_character_in_a_visitors_title_is_made_safe(text: bytes | str) -> None:
    value = read_json(text)
    assert value == {"title": "a\ufffdb"}
    json.dumps(value, ensure_ascii=False).encode()
