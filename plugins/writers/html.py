"""The parts of report.html above pytest-html's own table: the call, the objectives, the checklist.

Every text is escaped, made inert and bounded; the markup needs no script and nothing from outside.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from plugins.model.figures import duration, quantity
from plugins.model.verdict import ItemReport, Verdict
from plugins.model.words import Status
from plugins.writers import words
from plugins.writers.inert import inert, one_line

_TEMPLATES = Path(__file__).parent / "templates"


def title(verdict: Verdict) -> str:
    """For the browser's tab: the call first."""
    call = words.CALLS[verdict.recommendation]
    return one_line(f"{call} · {verdict.project} {verdict.environment} · {verdict.phase or 'no phase'}")


@cache
def css() -> str:
    """The style sheet, for our parts and over pytest-html's own; light and dark, screen and paper."""
    return (_TEMPLATES / "report.css").read_text(encoding="utf-8")


def fragments(verdict: Verdict) -> tuple[str, ...]:
    """All parts in the order of reading, for pytest-html's summary prefix; the style sheet comes first."""
    return (
        _render("head.html", css=css()),
        _render("banner.html", verdict=verdict, items={item.id: item for item in verdict.items}),
        _render("objectives.html", verdict=verdict),
        _render("checklist.html", sections=_by_section(verdict), remedies_first_at=_remedies(verdict)),
        _render("unverified.html", groups=_by_reason(verdict)),
        _render("foot.html"),
    )


def _by_section(verdict: Verdict) -> dict[str, list[ItemReport]]:
    sections: dict[str, list[ItemReport]] = {}
    for item in verdict.items:
        sections.setdefault(item.section, []).append(item)
    return sections


def _remedies(verdict: Verdict) -> dict[str, str]:
    """The item at which each remedy is shown unfolded: the first that it is for."""
    return {item.remedy.id: item.id for item in reversed(verdict.items) if item.remedy is not None}


def _by_reason(verdict: Verdict) -> dict[str, list[str]]:
    """The titles of what was not verified, under the reason why; what concerns fewest items first."""
    titles = {item.id: item.title for item in verdict.items}
    return {
        why: [titles.get(missing.item, missing.item) for missing in verdict.unverified if missing.why == why]
        for why, _ in sorted(words.why_unverified(verdict), key=lambda group: group[1])
    }


def _render(template: str, **values: object) -> str:
    return _templates().get_template(template).render(**values)


@cache
def _templates() -> Environment:
    loaded = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loaded.filters |= {"inert": inert, "one_line": one_line, "duration": duration, "quantity": quantity}
    loaded.globals |= {
        "words": words,
        "Status": Status,
        "most_measurements": 12,
        "most_grounds": 8,
        "most_named": 4,
    }
    return loaded
