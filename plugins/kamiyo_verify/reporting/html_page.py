"""Repair pytest-html's page after it is written: accessibility, list markup and content security policy.

Output of tests is escaped in the page, so it cannot contain the strings that are replaced here.
"""

from __future__ import annotations

import re
from collections import Counter

_MARK = '<div id="data-container" data-jsonblob='
"""A string that only pytest-html's page contains."""

_NOT_WHOLE = '<link href="assets/style.css" rel="stylesheet"'
"""The page consists of several files, because the user asked for that."""

_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
    " script-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'\">"
)

_TESTS = (
    '</div></div><details class="kv-tests"><summary>Every test, as pytest ran it</summary>'
    '<div class="summary"><div class="summary__data"><p class="run-count">'
)
_ENVIRONMENT = (
    '<details class="kv-environment"><summary>pytest and its plugins</summary><div id="environment-header">'
)

_MENDED = (
    ("<html>", '<html lang="en">'),
    # The page makes no network requests, whatever a test writes into it.
    ('<meta charset="utf-8"/>', f'<meta charset="utf-8"/>{_POLICY}'),
    ('<table id="results-table">', '<table id="results-table" aria-label="Every test">'),
    # pytest's own table and its controls fold, below our parts.
    ('<p class="run-count">', _TESTS),
    ("</table>\n  <footer>", "</table></details>\n  <footer>"),
    ('<div id="environment-header">', _ENVIRONMENT),
    (
        '<table id="environment"></table>',
        '<table id="environment" aria-label="Environment"></table></details>',
    ),
    ('<img src="" />', '<img src="" alt="" />'),
    # An unclosed list, in the script that renders the environment table.
    (".join('')}<ul>`", ".join('')}</ul>`"),
)
_MOST_ROWS = 500
"""Rows shown at first: the script creates twenty elements a row, which takes seconds for 5,000 rows."""

_GRAVEST_FIRST = ("failed", "error", "rerun", "xpassed", "xfailed", "skipped", "passed")
_RESULT = re.compile(r"col-result\\&#34;&gt;(\w+)&lt;")
_AT_FIRST = (
    '<script>if(!new URLSearchParams(location.search).has("visible"))'
    'try{{history.replaceState(null,"","?visible={}"+location.hash)}}catch{{}}</script>'
)
"""Sets the parameter that pytest-html's filters use; one click on a filter shows the other results."""

_FILTER = re.compile(r'(<input [^>]*data-test-result="(\w+)")')


def mended(page: str) -> str:
    """Add language, labels and missing closing tags to pytest-html's page; return other text unchanged."""
    if _MARK not in page or _NOT_WHOLE in page:
        return page
    for lacking, whole in _MENDED:
        page = page.replace(lacking, whole, 1)
    page = page.replace("<body>", "<body>" + _only_the_gravest(page), 1)
    return _FILTER.sub(r'\1 aria-label="show \2"', page)


def _only_the_gravest(page: str) -> str:
    """Return a script that shows only the most serious results of a long table; "" for a short table."""
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
