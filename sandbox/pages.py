"""What the frontend's pages look like: templates, style, script, and the policy that admits just these."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_SITE = Path(__file__).with_name("site")
_STYLE = (_SITE / "kamiyo.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_TEMPLATES = Environment(
    loader=FileSystemLoader(_SITE),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)

SCRIPT = (_SITE / "kamiyo.js").read_bytes()
FAVICON = (_SITE / "favicon.ico").read_bytes()


def render(name: str, api_url: str, **values: object) -> str:
    """One page as HTML.

    Args:
        name: the template's name without its ending.
        api_url: where the page's script finds the API.
        values: what the template asks for; all of it is escaped.

    Raises:
        jinja2.UndefinedError: the template asks for something that is not given.
    """
    # The style is a file of ours and must stand in the page letter by letter, or its hash would not fit.
    style = Markup(_STYLE)  # noqa: S704
    return _TEMPLATES.get_template(f"{name}.html").render(api_url=api_url, style=style, **values)


def content_security_policy(api_url: str) -> str:
    """The CSP under which the pages work: own scripts, this one style, the API, Google's sign-in."""
    return "; ".join(
        (
            "default-src 'self'",
            f"style-src 'sha256-{_STYLE_HASH}'",
            f"connect-src 'self' {api_url}",
            "form-action 'self' https://accounts.google.com",
            "frame-ancestors 'none'",
            "base-uri 'self'",
            "object-src 'none'",
        )
    )
