"""The script and the style sheet of the pages, as built correctly or with a defect."""

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
"""For each fault: the original text in the script, and its replacement."""


def script(faults: Collection[str]) -> bytes:
    """Return the script that all pages share, with the defects of these faults."""
    text = _SCRIPT
    for fault, (good, bad) in _DEFECTS.items():
        assert good in text, f"kamiyo.js has no {good!r} any more"
        if fault in faults:
            text = text.replace(good, bad)
    return text.encode()
