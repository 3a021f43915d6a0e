"""Screenshots of pages: small, and with secrets covered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

Keep = Callable[[str, bytes, str], None]
"""Saves a caption, the screenshot, and its format: "png" or "jpg"."""

_WITHIN_S = 5.0
_LARGEST = 60_000
_LONGEST_TEXT = 200_000
_MOST_HIDDEN = 40
_GREY = "#8a8a8a"
_SHOWN = """most => [
    ...(document.body?.innerText ?? '').slice(0, most).split('\\n'),
    ...[...document.querySelectorAll('input, textarea')].slice(0, 500).map(field => String(field.value)),
]"""


class Pictures:
    """Takes screenshots of the visible part of a page.

    Args:
        keep: saves each screenshot.
        mask: returns the text without secrets.
    """

    def __init__(self, keep: Keep, mask: Callable[[str], str]) -> None:
        self._keep = keep
        self._mask = mask

    async def take(self, page: Page, caption: str) -> None:
        """Take a screenshot. Raises nothing: a page that cannot be captured has not failed."""
        from playwright.async_api import Error  # noqa: PLC0415

        try:
            async with asyncio.timeout(_WITHIN_S):
                hidden = await self._hidden(page)
                if hidden is not None:
                    self._keep(caption, *await _smallest(page, hidden))
        except (Error, TimeoutError):
            return

    async def _hidden(self, page: Page) -> list[Locator] | None:
        """Elements to cover, as they show a secret. None if there are too many elements to search."""
        shown: list[str] = await page.evaluate(_SHOWN, _LONGEST_TEXT + 1)
        if sum(map(len, shown)) > _LONGEST_TEXT:
            return None
        secret = list(dict.fromkeys(piece for line in shown for piece in self._secrets_in(line)))
        if len(secret) > _MOST_HIDDEN:
            return None
        fields = page.locator("input, textarea")
        values: list[str] = await fields.evaluate_all("all => all.map(field => String(field.value))")
        description = [
            fields.nth(number) for number, value in enumerate(values) if self._mask(value) != value
        ]
        return [
            page.locator("input[type=password]"),
            *description,
            *(page.get_by_text(piece) for piece in secret),
        ]

    def _secrets_in(self, line: str) -> Iterator[str]:
        if self._mask(line) == line:
            return
        words = [word for word in line.split() if self._mask(word) != word]
        yield from words or [line.strip()]


async def _smallest(page: Page, hidden: list[Locator]) -> tuple[bytes, str]:
    async def shot(kind: Literal["png", "jpeg"], quality: int | None = None) -> bytes:
        options: dict[str, Any] = {"quality": quality} if quality else {}
        taken: bytes = await page.screenshot(
            type=kind,
            mask=hidden,
            mask_color=_GREY,
            animations="disabled",
            scale="css",
            timeout=_WITHIN_S * 1000,
            **options,
        )
        return taken

    png = await shot("png")
    if len(png) <= _LARGEST:
        return png, "png"
    for quality in (60, 30, 10):
        jpeg = await shot("jpeg", quality)
        if len(jpeg) <= _LARGEST:
            break
    return (jpeg, "jpg") if len(jpeg) < len(png) else (png, "png")
