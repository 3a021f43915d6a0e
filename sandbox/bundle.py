"""The script and the style of the pages, as they were built: well, or with a defect."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

_SITE = Path(__file__).with_name("site")
_SCRIPT = (_SITE / "kamiyo.js").read_text(encoding="utf-8")

STYLE = (_SITE / "kamiyo.css").read_bytes()

SCRIPT_PATH = "/_next/static/chunks/kamiyo.js"
STYLE_PATH = "/_next/static/css/kamiyo.css"

_DEFECTS = {
    "frontend-script-error": ("const parts = {", "const parts = window.__NEXT_DATA__.props && {"),
    "dashboard-empty": ("const listed = page.data;", "const listed = page.results ?? [];"),
    "filter-broken-in-page": ("asked.set(name, control.value)", 'asked.set("q", control.value)'),
}
"""What each fault changes in the script: what stands there, and what then stands there instead."""


def script(faults: Collection[str]) -> bytes:
    """The one script that the pages share, in the build that these faults call for."""
    text = _SCRIPT
    for fault, (good, bad) in _DEFECTS.items():
        assert good in text, f"kamiyo.js has no {good!r} any more"
        if fault in faults:
            text = text.replace(good, bad)
    return text.encode()
