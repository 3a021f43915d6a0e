"""The parts of report.html above pytest-html's own table, from the call to the trend.

Every text is escaped, made inert and bounded; the markup needs no script and nothing from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby

from jinja2 import Environment

from plugins.model.picture import Part, Picture
from plugins.model.verdict import ItemReport, Verdict
from plugins.model.words import Status
from plugins.writers import charts, words
from plugins.writers.charts import drawings
from plugins.writers.inert import one_line
from plugins.writers.templating import TEMPLATES, templates

_LONG = 60
"""Items of a section; of a longer one, those that are well are folded away where many follow one another."""

_MANY = 8
_VAST = 300
"""Items of a run; of a larger one, every section counts as long."""

_WELL = {Status.PASSED, Status.NOT_APPLICABLE}

Group = tuple[bool, list[ItemReport]]
"""Items that follow one another, and whether they are folded away."""


def title(verdict: Verdict) -> str:
    """For the browser's tab: the call first."""
    call = words.CALLS[verdict.recommendation]
    return one_line(f"{call} · {verdict.project} {verdict.environment} · {verdict.phase or 'no phase'}")


@cache
def css() -> str:
    """The style sheet, for our parts and over pytest-html's own; light and dark, screen and paper."""
    return charts.css() + (TEMPLATES / "report.css").read_text(encoding="utf-8")


def fragments(
    verdict: Verdict, picture: Picture | None = None, screenshots: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """All parts in the order of reading, for pytest-html's summary prefix; the style sheet comes first.

    Args:
        verdict: on the run.
        picture: what is drawn beside it.
        screenshots: `data:` addresses by file; one that is not among them is linked to.
    """
    shown = picture or Picture()
    return (
        _render("head.html", css=css()),
        _render("banner.html", verdict=verdict, items={item.id: item for item in verdict.items}),
        _render("objectives.html", verdict=verdict, drawn=drawings.objectives(verdict)),
        _render("drawn.html", parts=[*drawings.parts(shown, Part.LATENCY, Part.TIMING, Part.TIMELINE)]),
        _render(
            "checklist.html",
            sections=_folded_sections(verdict),
            remedies_first_at=_remedies(verdict),
            sent=shown.sent,
            screenshots=screenshots or {},
            vast=len(verdict.items) > _VAST,
        ),
        _render("unverified.html", groups=_by_reason(verdict)),
        _render("drawn.html", parts=[*drawings.parts(shown, Part.TREND)]),
        _render("foot.html"),
    )


def _by_section(verdict: Verdict) -> dict[str, list[ItemReport]]:
    sections: dict[str, list[ItemReport]] = {}
    for item in verdict.items:
        sections.setdefault(item.section, []).append(item)
    return sections


def _folded_sections(verdict: Verdict) -> dict[str, list[Group]]:
    longest = 0 if len(verdict.items) > _VAST else _LONG
    return {
        name: [*_folded(items)] if len(items) > longest else [(False, items)]
        for name, items in _by_section(verdict).items()
    }


def _folded(items: list[ItemReport]) -> Iterator[Group]:
    """All of them in their order; runs of items that are well are folded away."""
    for well, run in groupby(items, lambda item: item.status in _WELL and not item.flaky):
        found = list(run)
        yield well and len(found) >= _MANY, found


def _remedies(verdict: Verdict) -> dict[str, str]:
    """The item at which each remedy is shown unfolded: the first that it is for."""
    return {item.remedy.id: item.id for item in reversed(verdict.items) if item.remedy is not None}


def _by_reason(verdict: Verdict) -> dict[str, list[str]]:
    """The titles of what was not verified, under the reason why; what concerns fewest items first."""
    titles = {item.id: item.title for item in verdict.items}
    found: dict[str, list[str]] = {
        why: [] for why, _ in sorted(words.why_unverified(verdict), key=lambda group: group[1])
    }
    for missing in verdict.unverified:
        found[missing.why].append(titles.get(missing.item, missing.item))
    return found


def _render(template: str, **values: object) -> str:
    return _templates().get_template(template).render(**values)


@cache
def _templates() -> Environment:
    return templates(Status=Status, most_measurements=12, most_grounds=8, most_named=4, most_screenshots=24)
