"""A report of megabytes is searched as a short text is, though most of it is read only once."""

from __future__ import annotations

import quopri

import pytest

from kamiyo_verify.masking.escapes import readings
from kamiyo_verify.masking.masker import Masker
from tests.engine.masking.test_attacks_masking import ADDRESS, CREDENTIALS, FORMS, PASSWORD, left

PAGE = '<tr class="item">&lt;td&gt;a = 1; b &#34;c&#34; &amp;&amp; d\n' * 400

OTHERS = [*(name for name in CREDENTIALS if name != "TOY_API_KEY"), "PASSWORD"]
EXHAUSTIVE = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def masker() -> Masker:
    masker = Masker()
    masker.learn_values({**CREDENTIALS, "TOY_DATABASE_URL": ADDRESS})
    return masker


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("name", ["TOY_API_KEY", *(pytest.param(name, marks=EXHAUSTIVE) for name in OTHERS)])
def test_no_form_of_a_credential_is_left_anywhere_in_a_report(masker: Masker, name: str, form: str) -> None:
    value = PASSWORD if name == "PASSWORD" else CREDENTIALS[name]
    if form == "UTF-16 read as bytes" and not value.isascii():
        pytest.skip("its second bytes are characters of their own")
    written = FORMS[form](value)
    for before, after in (("", PAGE), (PAGE, PAGE), (PAGE, "")):
        shown = masker.values_in(f"{before} {written} {after}")
        assert "[TOY_" in shown
        assert left(value, shown) == []


@pytest.mark.parametrize(
    "form", [form for form in FORMS if "UTF-16" not in form and "quoted" not in form], ids=str
)
def test_nor_where_quoted_printable_lies_over_it(masker: Masker, form: str) -> None:
    """A mail that quotes a page, with the value far from the first escape and from the last."""
    value = CREDENTIALS["TOY_API_KEY"]
    written = quopri.encodestring(FORMS[form](value).encode(), quotetabs=True).decode()
    plain = "a line of a log without any escape\n" * 400
    for text in (f"=41{plain}{written}{plain}=42", f"{plain}{written}", f"{written}{plain}"):
        shown = masker.values_in(text)
        assert "[TOY_API_KEY]" in shown
        assert left(value, shown) == []


def test_only_what_is_near_to_a_quoted_printable_escape_is_read_again() -> None:
    text = "a" * 10_000 + "=41" + "b" * 10_000 + "=42" + "c" * 30 + "=43" + "d" * 10_000
    parts = [reading.text for reading in readings(text, 100)]
    assert parts == [text, "a" * 100 + "A" + "b" * 100, "b" * 100 + "B" + "c" * 30 + "C" + "d" * 100]


def test_a_place_in_such_a_part_is_one_of_the_whole_text() -> None:
    text = "a" * 500 + "x=3Dy" + "b" * 500
    *_, last = readings(text, 20)
    at = last.text.index("x=y")
    assert text[slice(*last.origin(at, at + 3))] == "x=3Dy"
