"""The table of the browser: which one, how long it is patient, and how it finds things on the pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from plugins.model.tables import Path, Table


def _several(written: object) -> object:
    return (
        (written,) if isinstance(written, str) else tuple(written) if isinstance(written, list) else written
    )


def _named(selectors: tuple[str, ...]) -> tuple[str, ...]:
    if not selectors or not all(selector.strip() for selector in selectors):
        raise ValueError(
            'must be one selector or a list of them, such as "role=button[name=/subscribe/i]", '
            '"[data-testid=subscribe]" or "#subscribe"'
        )
    return selectors


Finder = Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(_named)]
"""Selectors of Playwright, by accessible role and name or by CSS; the first that finds something counts."""

_SIGN_OUT = "[name=/sign ?out|log ?out/i]"


class Find(Table):
    """How each thing on the pages is found.

    Attributes:
        email, password, sign_in: the form's two fields and its button.
        ways_in: whatever the sign-in page offers to sign in by.
        signed_in: is shown to whoever is signed in, and to nobody else.
        row: one exploit of the dashboard's list.
        chain_of_row, protocol_of_row, link_of_row: within a row: two cells, and what opens the details.
        chain_filter, protocol_filter: a list to choose from, or a field to type into.
        details: holds the details of an exploit, on a page of their own or above the list.
        subscribe, subscribed: the button, and what is shown once alerts are subscribed to.
        consent: a button that takes a cookie banner away.
    """

    email: Finder = ("input[type=email]", "role=textbox[name=/e-?mail/i]", "input[name=email]")
    password: Finder = ("input[type=password]",)
    sign_in: Finder = (
        "form:has(input[type=password]) [type=submit]",
        "role=button[name=/sign ?in|log ?in/i]",
    )
    ways_in: Finder = (
        "main >> role=button[name=/sign ?in|log ?in|continue/i]",
        "role=button[name=/sign ?in|log ?in|continue/i]",
        "main >> role=link[name=/sign ?in|log ?in|continue/i]",
    )
    signed_in: Finder = (f"role=link{_SIGN_OUT}", f"role=button{_SIGN_OUT}", "[data-testid=signed-in]")
    row: Finder = ("[data-testid=exploit-row]", "table tbody tr", "main >> role=listitem")
    chain_of_row: Finder = ("[data-testid=chain]", "[data-field=chain]", "td:nth-child(2)")
    protocol_of_row: Finder = ("[data-testid=protocol]", "[data-field=protocol]", "td:nth-child(3)")
    link_of_row: Finder = ("[data-testid=details]", "role=link", "role=button")
    chain_filter: Finder = (
        "[data-testid=chain-filter]",
        "role=combobox[name=/chain/i]",
        "select[name=chain]",
        "role=textbox[name=/chain/i]",
    )
    protocol_filter: Finder = (
        "[data-testid=protocol-filter]",
        "role=combobox[name=/protocol/i]",
        "role=searchbox[name=/protocol/i]",
        "role=textbox[name=/protocol/i]",
        "[name=protocol]",
    )
    details: Finder = ("[data-testid=exploit-details]", "role=dialog", "#exploit", "main dl")
    subscribe: Finder = ("[data-testid=subscribe]", "role=button[name=/subscribe/i]")
    subscribed: Finder = (
        "[data-testid=subscribed]",
        "role=status >> text=/subscribed/i",
        "role=alert >> text=/subscribed/i",
        "role=button[name=/unsubscribe|subscribed/i]",
    )
    consent: Finder = (
        "#onetrust-accept-btn-handler",
        "[id*=cookie i] button",
        "[class*=cookie i] button",
        "[aria-label*=cookie i] button",
    )


class Browser(Table):
    """The browser that looks at the pages as people do.

    Attributes:
        proven: a run has shown that things are found on these pages as `find` says. Until then a page on
            which they are not found is unverified; one that breaks (status, script, request) has failed.
        executable: a Chromium's path or name; "" looks for Playwright's own, then for the system's.
        patience_s: how long something may take to appear on a page that has come.
        loads: how many loads are timed at the most; 59 are the fewest that can settle a p95.
        load_seconds: the most that all of them may take.
        load_paths: the pages that are loaded, in turn.
        find: how things are found on the pages.
    """

    proven: bool = False
    executable: str = ""
    patience_s: float = Field(default=5, gt=0, le=60)
    loads: int = Field(default=60, ge=3, le=500)
    load_seconds: float = Field(default=60, gt=0, le=120)
    load_paths: Annotated[tuple[Path, ...], Field(min_length=1)] = ("/",)
    find: Find = Find()
