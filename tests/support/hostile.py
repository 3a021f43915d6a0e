"""What a target may send to hurt whoever reads the report."""

from __future__ import annotations

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover='x' {{ 7 * 7 }} "
    "\x1b[31;5mred\x1b]0;title\x07 \x9b2J \u202egnirts\u2066 \ud800 \x00 \u200b\ufeff "
    "| [link](http://evil.example) `code` ![](http://evil.example/x.png) www.evil.example *x* @all ::error::x"
)
LIVE_CHARACTERS = "\x1b\x07\x9b\u202e\u2066\ud800\x00\u200b\ufeff\r"
ENDLESS = "A" * 1_000_000
