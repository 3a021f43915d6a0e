"""The frontend's pages, and their content security policy."""

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
    """Render one page as HTML.

    Args:
        name: the template's name without suffix.
        api_url: the URL of the API for the page's script.
        values: the template's variables; all of them are escaped.

    Raises:
        jinja2.UndefinedError: the template uses a variable that is missing.
    """
    return _TEMPLATES.get_template(f"{name}.html").render(
        api_url=api_url, script_path=SCRIPT_PATH, style_path=STYLE_PATH, **values
    )


def content_security_policy(api_url: str) -> str:
    """Return the CSP that the pages need: own files, the API and its live updates, Google's sign-in.

    Args:
        api_url: the URL at which pages call the API; a path where they call their own website only.
    """
    called = f"'self' {api_url} ws{api_url.removeprefix('http')}" if api_url.startswith("http") else "'self'"
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src {called}",
            "form-action 'self' https://accounts.google.com",
            "frame-ancestors 'none'",
            "base-uri 'self'",
            "object-src 'none'",
        )
    )
