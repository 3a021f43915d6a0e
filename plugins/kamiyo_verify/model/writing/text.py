"""Make external text safe: valid Unicode, no terminal control, limited length."""

from __future__ import annotations

import re

# Control characters except tab and line feed, invisible characters, text-direction controls, lone surrogates,
# tag characters (which can contain hidden text), and code points that are not characters.
LIVE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""The characters that can change what a reader sees, as the content of a regex character class."""

_LIVE = re.compile(f"[{LIVE}]")
_SURROGATES = re.compile("[\ud800-\udfff]")

# A line with this beginning is a command to the CI that reads the output: GitHub, Azure Pipelines, TeamCity.
_CI_COMMANDS = re.compile(
    r"^([ \t]*)(::(?=[A-Za-z-]+(?:[ \t][^\n]*)?::)|##(?=\[|vso\[|teamcity\[))", re.MULTILINE
)

CUT = "…"


def safe_text(text: str) -> str:
    r"""Escape lone surrogates (`\ud800`), so that every encoder accepts the text.

    JSON can contain half of a surrogate pair, which no UTF-8 file, terminal or database accepts.
    """
    return text if text.isascii() else _SURROGATES.sub(_written_out, text)


def safe_data(data: object) -> object:
    """Apply `safe_text` to every string in JSON-safe data, including keys."""
    match data:
        case str():
            return safe_text(data)
        case dict():
            return {safe_data(key): safe_data(value) for key, value in data.items()}
        case list() | tuple():
            return type(data)(safe_data(value) for value in data)
        case _:
            return data


def visible(text: str) -> str:
    r"""Escape every live character (`\x1b`, `\u202e`); keep tabs and line feeds."""
    return text if text.isascii() and text.isprintable() else _LIVE.sub(_written_out, text)


def without_ci_commands(text: str) -> str:
    r"""Escape lines that are commands to a CI: `::error::x` becomes `:\:error::x`."""
    if "::" not in text and "##" not in text:
        return text
    return _CI_COMMANDS.sub(lambda found: f"{found[1]}{found[2][0]}\\{found[2][1]}", text)


def cut(text: str, limit: int) -> str:
    """Shorten the text to at most `limit` characters; a mark at the end shows that it was cut.

    All code that shortens text uses this function: the secret masking recognises a cut secret by the mark.
    """
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + CUT


def _written_out(live: re.Match[str]) -> str:
    code = ord(live.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def written_out_in_json(text: str) -> str:
    """Return equivalent JSON with every live character escaped: safe to print on a terminal."""
    return text if text.isascii() and text.isprintable() else _LIVE.sub(_as_json_escape, text)


def _as_json_escape(live: re.Match[str]) -> str:
    units = live.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
