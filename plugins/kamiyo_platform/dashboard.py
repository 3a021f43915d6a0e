"""Use the dashboard in a browser: its list, two filters, details, alerts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from kamiyo_platform.platform_tab import PlatformTab
from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unrecognised

Field = Literal["chain", "protocol"]

_MOST_ROWS = 100
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Row:
    """One exploit of the list, as displayed."""

    chain: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The list after a filter was set.

    Attributes:
        value: the value of the filter.
        before, after: numbers of rows.
        others: other values that are still listed, where only `value` should be.
    """

    value: str
    before: int
    after: int
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """The details of an exploit: its row in the list, and its details page."""

    row: Row
    text: str


async def arrive(tab: PlatformTab, *, as_member: bool) -> list[Row]:
    """Open the dashboard and wait for its list.

    Raises:
        WrongAnswer: the list is empty.
        NoAnswer: it does not answer, or it redirects a signed-in user to the sign-in page.
    """
    environment = tab.environment
    await tab.open(environment.frontend.dashboard_path)

    async def settled() -> bool:
        return bool(await rows(tab)) or (as_member and tab.path == environment.sign_in.page_path)

    await tab.until(settled)
    found = await rows(tab)
    if not found and as_member and tab.path == environment.sign_in.page_path:
        raise NoAnswer(
            NoAnswerKind.UNUSABLE,
            f"{environment.frontend.dashboard_path} sends the test account to {tab.path}: it is not signed"
            " in, so the dashboard was not seen (see postdeploy.browser-sign-in)",
        )
    if not found:
        raise await tab.missing("row", "exploit")
    return found


async def rows(tab: PlatformTab) -> list[Row]:
    """The rows that are visible now."""
    listed = await tab.seen("row")
    if listed is None:
        return []
    columns: list[list[str]] = []
    for key in ("chain_of_row", "protocol_of_row"):
        cells = await tab.seen(key, listed)
        texts = await cells.all_inner_texts() if cells is not None else []
        columns.append([readable(text, _LONGEST) for text in texts[:_MOST_ROWS]])
    return [Row(chain, protocol) for chain, protocol in zip(*columns, strict=False)]


async def narrow(tab: PlatformTab, field: Field) -> Narrowed:
    """Set a filter to the value with the fewest rows, and wait for the list to update.

    Raises:
        WrongAnswer: there is no such filter, it does not offer a listed value, or it leaves no row.
    """
    key = f"{field}_filter"
    control = (await tab.find(key, f"filter by {field}")).first
    listed = [getattr(row, field) for row in await rows(tab)]
    is_list = await control.evaluate("control => control instanceof HTMLSelectElement")
    offered: list[str] = await control.locator("option").all_inner_texts() if is_list else []
    wanted = _rarest(listed, offered)
    if wanted is None:
        choices = ", ".join(readable(one, 20) for one in offered[:6]) or "nothing"
        raise Unrecognised(f"{tab.path}: the filter by {field} offers none of what is listed, but {choices}")
    if is_list:
        await control.select_option(label=wanted)
    else:
        await control.fill(wanted)
        await control.press("Enter")

    async def followed() -> bool:
        now = [getattr(row, field) for row in await rows(tab)]
        return bool(now) and not _others(now, wanted)

    await tab.until(followed)
    now = [getattr(row, field) for row in await rows(tab)]
    await tab.step(f"the dashboard, filtered by {field}")
    if not now:
        raise await tab.missing("row", f"exploit with the {field} {wanted}, which was listed before,")
    return Narrowed(wanted, len(listed), len(now), _others(now, wanted))


async def open_first(tab: PlatformTab) -> Opened:
    """Open the details of the first exploit.

    Raises:
        WrongAnswer: the link does not open them.
    """
    [row, *_] = await rows(tab)
    listed = (await tab.find("row", "exploit")).first
    link = await tab.seen("link_of_row", listed)
    before = list(tab.page.context.pages)
    await tab.press(link.first if link is not None else listed, "link_of_row")

    async def there() -> bool:
        opened = [page for page in tab.page.context.pages if page not in before]
        tab.page = opened[-1] if opened else tab.page  # a link may open a new page
        return await tab.seen("details") is not None

    await tab.until(there)
    details = await tab.seen("details")
    if details is None:
        raise await tab.missing("details", "details of an exploit")

    async def title() -> str:
        text = readable(await details.first.inner_text(), 2_000)
        return text if row.protocol.casefold() in text.casefold() else ""

    return Opened(row, await tab.until(title) or readable(await details.first.inner_text(), 2_000))


async def subscribe(tab: PlatformTab) -> str:
    """Subscribe to alerts; return the confirmation text.

    Raises:
        WrongAnswer: there is no button, or the page never confirms.
    """
    await tab.press((await tab.find("subscribe", "way to subscribe to alerts")).first, "subscribe")
    said = await tab.until(lambda: tab.seen("subscribed"))
    await tab.step("alerts, subscribed to" if said else "alerts, not subscribed to")
    if said is None:
        raise await tab.missing("subscribed", "confirmation of a subscription to alerts")
    return readable(await said.first.inner_text(), _LONGEST)


def _rarest(listed: list[str], offered: list[str]) -> str | None:
    """The value with the fewest rows, limited to those that the filter offers if it has a list."""
    known = {option.strip() for option in offered}
    counted = Counter(value for value in listed if value and (not offered or value in known))
    return min(counted, key=lambda value: (counted[value], value), default=None)


def _others(found: list[str], wanted: str) -> tuple[str, ...]:
    return tuple(sorted({one for one in found if wanted.casefold() not in one.casefold()}))
