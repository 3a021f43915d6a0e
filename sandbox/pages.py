"""What the frontend's pages look like, and the policy that admits just what they are made of."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.bundle import SCRIPT_PATH, STYLE_PATH

_SITE = Path(__file__).with_name("site")
_TEMPLATES = Environment(
    loader=FileSystemLoader(_SITE),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)

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
    return _TEMPLATES.get_template(f"{name}.html").render(
        api_url=api_url, script_path=SCRIPT_PATH, style_path=STYLE_PATH, **values
    )


def content_security_policy(api_url: str) -> str:
    """The CSP under which the pages work: own files, the API and its live updates, Google's sign-in."""
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self' {api_url} ws{api_url.removeprefix('http')}",
            "form-action 'self' https://accounts.google.com",
            "frame-ancestors 'none'",
            "base-uri 'self'",
            "object-src 'none'",
        )
    )
