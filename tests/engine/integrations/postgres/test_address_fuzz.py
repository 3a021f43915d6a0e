"""Whatever stands in the variable of the database's address: read or refused, and never shown."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kamiyo_verify.integrations.postgres.address import read_address
from kamiyo_verify.model.outcomes import OperatorPathFailed

SECRET = "Zq7Zq7Zq7"
AROUND = st.text(alphabet="/?#@:&=%+ '\"\\[]{}<>ab1", max_size=8)


@example("1 ", "=", "host=h password={}")
@example("1&", "=", "postgresql://h/d?password={}")
@example("/?", "=&user=u", "postgresql://u:{}@h/d")
@settings(max_examples=300, deadline=None)
@given(
    AROUND,
    AROUND,
    st.sampled_from(
        [
            "postgresql://u:{}@h/d",
            "postgres://u:{}@h:1/d?pgbouncer=true",
            "host=h password={}",
            "postgresql://h/d?password={}",
        ]
    ),
)
def test_no_password_is_shown_whatever_surrounds_it(before: str, after: str, form: str) -> None:
    try:
        address = read_address(form.format(before + SECRET + after), "DATABASE_URL")
    except OperatorPathFailed as refused:
        shown = str(refused)
    else:
        shown = address.shown + repr(address) + " ".join(address.dropped)
    assert SECRET not in shown


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for form in ("{}", "postgresql://{}", "postgresql://h/d?{}", "host={}"):
        try:
            shown = read_address(form.format(text), "DATABASE_URL").shown
        except OperatorPathFailed as refused:
            shown = str(refused)
        assert shown.isprintable()
