"""Find secrets by their format: keys, tokens, and passwords in addresses."""

from __future__ import annotations

import re

HIDDEN = "***"

# ruff: noqa: ISC004 - each pair is a tuple
_SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (hints, re.compile(pattern, re.IGNORECASE))
    for hints, pattern in (
        # Stripe: keys
        (("_live_", "_test_"), r"(?P<keep>\b(?:sk|rk|pk)_(?:live|test)_)[A-Za-z0-9]{4,}"),
        # Stripe, Standard Webhooks: signing secrets
        (("whsec_",), r"(?P<keep>\bwhsec_)[A-Za-z0-9+/=]{4,}"),
        # Render
        (("rnd_",), r"(?P<keep>\brnd_)[A-Za-z0-9]{4,}"),
        # GitHub
        (
            ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
            r"(?P<keep>\b(?:gh[pousr]_|github_pat_))[A-Za-z0-9_]{8,}",
        ),
        # Authorization
        (("bearer",), r"(?P<keep>\bBearer\s+)[A-Za-z0-9._~+/=-]{8,}"),
        (
            ("basic",),
            r"(?P<keep>(?-i:\bBasic)\s+)(?-i:(?=[A-Za-z0-9+/]*(?:[a-z][A-Z]|[0-9=])))[A-Za-z0-9+/=]{6,}",
        ),
        # Statuspage
        (("oauth",), r"(?P<keep>\bOAuth\s+)[A-Za-z0-9._~+/=-]{12,}"),
        # JSON Web Tokens, signed or encrypted
        (("eyj",), r"(?P<keep>)\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*"),
        # user:password in a URL, also where JSON writes "\/"
        (("@",), r"(?P<keep>\b[a-z][a-z0-9+.-]{0,40}:(?:\\?/){2})[^\s/@'\"<>]+:[^\s/@'\"<>]+(?=@)"),
        # in a URL's query
        (
            ("token=", "key=", "secret=", "password=", "session=", "code=", "state=", "signature="),
            r"(?P<keep>[?&;](?:amp;)?(?:[a-z_-]*token|(?:api_?)?key|secret|password|session|code|state|signature)"
            r"=)[^\s&;'\"<>\\]+",
        ),
        # a variable or a field whose name says that it is secret: NAME=value, "name": "value"
        (
            ("secret", "passw", "token", "_key", "-key", "apikey"),
            r"(?P<keep>\b\w{0,40}(?:secret|passw(?:or)?d|token(?!s)|(?:api|access|private|secret|auth)[_-]?key)\w{0,40}"
            r"(?:=|\\?['\"]\s?:\s?(?=\\?['\"]))\\?['\"]?)(?![$*<{%])"
            r"(?:(?<=[^\\]\")(?:[^\"\\\n]|\\.){4,}|(?<=[^\\]')(?:[^'\\\n]|\\.){4,}|(?<=\\['\"])[^'\"\\\n]{4,}"
            r"|[^\s'\"&;,<>\\)]{6,})",
        ),
        # Stripe-Signature
        (("v1=",), r"(?P<keep>\bv1=)[0-9a-f]{32,}"),
    )
)
"""Lower-case texts that every match contains, and the pattern, whose group `keep` stays readable."""

_HINTS = tuple((hint, number) for number, (hints, _) in enumerate(_SHAPES) for hint in hints)


def without_shapes(text: str) -> str:
    """The text with `***` in place of everything that looks like a secret."""
    lowered = text.lower()
    for number in sorted({number for hint, number in _HINTS if hint in lowered}):
        text = _SHAPES[number][1].sub(rf"\g<keep>{HIDDEN}", text)
    return text
