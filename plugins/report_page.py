"""What pytest-html's page lacks for those who do not see it, put right after it is written.

What tests said stands in it escaped, so that none of these marks can be found there.
"""

from __future__ import annotations

import re
from collections import Counter

_MARK = '<div id="data-container" data-jsonblob='
"""No other file has this."""

_NOT_WHOLE = '<link href="assets/style.css" rel="stylesheet"'
"""The user asked for a page in several files."""

_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
    " script-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'\">"
)

_MENDED = (
    ("<html>", '<html lang="en">'),
    # Whatever a test let into it, the page asks nobody for anything.
    ('<meta charset="utf-8"/>', f'<meta charset="utf-8"/>{_POLICY}'),
    ('<table id="environment">', '<table id="environment" aria-label="Environment">'),
    ('<table id="results-table">', '<table id="results-table" aria-label="Every test">'),
    ('<img src="" />', '<img src="" alt="" />'),
    # A list that is never closed, in the script that writes the table of the environment.
    (".join('')}<ul>`", ".join('')}</ul>`"),
)
_MOST_ROWS = 500
"""Of its table at first: its script makes twenty elements of each row, which takes 5,000 of them seconds."""

_GRAVEST_FIRST = ("failed", "error", "rerun", "xpassed", "xfailed", "skipped", "passed")
_RESULT = re.compile(r"col-result\\&#34;&gt;(\w+)&lt;")
_AT_FIRST = (
    '<script>if(!new URLSearchParams(location.search).has("visible"))'
    'try{{history.replaceState(null,"","?visible={}"+location.hash)}}catch{{}}</script>'
)
"""By the parameter that pytest-html's own filters set: one click on a filter shows the others."""

_FILTER = re.compile(r'(<input [^>]*data-test-result="(\w+)")')


def mended(page: str) -> str:
    """The page of pytest-html with its language, its labels and its lists whole; any other text as it is."""
    if _MARK not in page or _NOT_WHOLE in page:
        return page
    for lacking, whole in _MENDED:
        page = page.replace(lacking, whole, 1)
    page = page.replace("<body>", "<body>" + _only_the_gravest(page), 1)
    return _FILTER.sub(r'\1 aria-label="show \2"', page)


def _only_the_gravest(page: str) -> str:
    """What lets a long table begin with the gravest results; "" for one that is short enough."""
    rows = Counter(found[1].lower() for found in _RESULT.finditer(page))
    if rows.total() <= _MOST_ROWS:
        return ""
    shown, room = [], _MOST_ROWS
    for result in _GRAVEST_FIRST:
        room -= rows[result]
        if room < 0:
            break
        shown.append(result)
    return _AT_FIRST.format(",".join(shown))
