"""The parts of report.html above pytest-html's own table, from the recommendation to the trend.

Every text is escaped, made inert and bounded; the markup needs no script and no external resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment

from kamiyo_verify.model.history.chart_data import ChartData, Part
from kamiyo_verify.model.verdict import ItemReport, Verdict
from kamiyo_verify.model.words import Status
from kamiyo_verify.reporting import charts, summary, words
from kamiyo_verify.reporting.charts import drawings
from kamiyo_verify.reporting.inert import one_line
from kamiyo_verify.reporting.templating import TEMPLATES, templates

_VAST = 300
"""Items of a run; in a larger run, items that are well are listed without their details."""

_MOST_GROUNDS = 8
"""Most causes that are told above the checklist."""

_ON_PHONES = 2
"""Causes, and items that failed in their own way, which a phone shows before it folds the others."""

_FEW = 3
"""Items that failed in their own way: of more, those that are told above are folded."""

_OPEN = {Status.FAILED: "failed", Status.ERROR: "not measured"}


@dataclass(frozen=True, slots=True)
class Group:
    """Items of the checklist in one list.

    Attributes:
        title: its heading, or the text of its fold.
        folded: whether the list is folded.
    """

    title: str
    items: tuple[ItemReport, ...]
    folded: bool = True


def title(verdict: Verdict) -> str:
    """Return the title for the browser tab, with the recommendation first."""
    call = words.CALLS[verdict.recommendation]
    where = f"{verdict.environment} from {verdict.place}" if verdict.place else verdict.environment
    return one_line(f"{call} · {verdict.project} {where} · {verdict.phase or 'no phase'}")


@cache
def css() -> str:
    """Return the style sheet for our parts and pytest-html's; for light, dark, screen and print."""
    return charts.css() + (TEMPLATES / "report.css").read_text(encoding="utf-8")


def fragments(
    verdict: Verdict, picture: ChartData | None = None, screenshots: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Render all parts in reading order for pytest-html's summary prefix; the style sheet comes first.

    Args:
        verdict: the verdict of the run.
        picture: the data of the charts.
        screenshots: `data:` URLs by file; the report links to screenshots without one.
    """
    shown = picture or ChartData()
    return (
        _render("head.html", css=css()),
        _render("banner.html", verdict=verdict),
        _render(
            "evidence.html",
            verdict=verdict,
            grounds=summary.grounds(verdict),
            items={item.id for item in verdict.items},
        ),
        _render("objectives.html", verdict=verdict, drawn=drawings.objectives(verdict)),
        _render("drawn.html", parts=[*drawings.parts(shown, Part.TIMELINE, Part.LATENCY, Part.TIMING)]),
        _render(
            "checklist.html",
            verdict=verdict,
            groups=[*_groups(verdict)],
            total=len(verdict.items),
            sent=shown.sent,
            screenshots=screenshots or {},
            vast=len(verdict.items) > _VAST,
        ),
        _render("unverified.html", groups=_by_reason(verdict)),
        _render("drawn.html", parts=[*drawings.parts(shown, Part.TREND)]),
    )


def _groups(verdict: Verdict) -> Iterator[Group]:
    """Yield what failed, by cause; what was not measured; then the others by section, folded.

    Where there are many, an item that is a cause by itself, and told above, is folded too.
    """
    titles = {item: cause.title for cause in verdict.causes for item in cause.items}
    above = {item for ground in summary.grounds(verdict)[:_MOST_GROUNDS] for item in ground.items}
    for status, description in _OPEN.items():
        found: dict[str, list[ItemReport]] = {}
        for item in verdict.items:
            if item.status is status:
                found.setdefault(titles.get(item.id) or words.lead(item.message)[0], []).append(item)
        alone = tuple(items[0] for items in found.values() if len(items) == 1)
        together = {title: items for title, items in found.items() if len(items) > 1}
        for title, items in sorted(together.items(), key=lambda group: -len(group[1])):
            yield Group(f"{len(items)} {description}: {one_line(title, 160)}", tuple(items))
        told = above if len(alone) > _FEW else set[str]()
        causes = tuple(item for item in alone if item.id in told)
        if causes:
            yield Group(
                f"{len(causes)} {description}, told above as {'causes' if len(causes) > 1 else 'a cause'}",
                causes,
            )
        rest = tuple(item for item in alone if item.id not in told)
        if rest:
            more = ", each in its own way" if len(rest) > 1 else ""
            yield Group(f"{len(rest)} {description}{more}", rest, folded=False)
    sections: dict[str, list[ItemReport]] = {}
    for item in verdict.items:
        if item.status not in _OPEN:
            sections.setdefault(item.section, []).append(item)
    for section, others in sections.items():
        counts = ((status, sum(item.status is status for item in others)) for status in Status)
        tally = [f"{count} {words.STATUSES[status][1]}" for status, count in counts if count]
        flaky = sum(item.flaky for item in others)
        in_all = ", ".join([*tally, *([f"{flaky} flaky"] if flaky else [])])
        yield Group(f"{section}: {in_all}" if section else in_all, tuple(others))


def _by_reason(verdict: Verdict) -> dict[str, list[str]]:
    """Return the titles of unverified items by reason; reasons with the fewest items first."""
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
    return templates(
        Status=Status,
        summary=summary,
        most_measurements=12,
        most_grounds=_MOST_GROUNDS,
        most_named=12,
        most_told=_ON_PHONES,
        most_open=40,
        most_outages=3,
        most_screenshots=24,
        most_warnings=3,
    )
