"""The table [browser] of an environment file: executable, waiting times, and selectors of the pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from kamiyo_verify.model.tables import Path, Table


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
"""Playwright selectors, by accessible role and name or by CSS; the first that finds something is used."""

_SIGN_OUT = "[name=/sign ?out|log ?out/i]"


class Find(Table):
    """Selectors for each element of the pages.

    Attributes:
        email, password, sign_in: the form's two fields and its button.
        ways_in: the sign-in methods on the sign-in page.
        signed_in: shown only to users who are signed in.
        row: one exploit of the dashboard's list.
        chain_of_row, protocol_of_row, link_of_row: within a row: two cells, and the link to the details.
        chain_filter, protocol_filter: a list to choose from, or a field to type into.
        details: holds the details of an exploit, on a page of their own or above the list.
        subscribe, subscribed: the button, and the confirmation of a subscription to alerts.
        consent: the button that closes a cookie banner.
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
    """The browser that opens the pages as users do.

    Attributes:
        proven: a run has shown that the selectors of `find` fit these pages. Until then a page on which they
            find nothing is unverified; one with a bad status, script or request has failed.
        executable: a Chromium's path or name; "" searches for Playwright's own, then for the system's.
        patience_s: seconds that an element may take to appear after its page has loaded.
        loads: the most loads that are timed; 59 are the fewest that can settle a p95.
        load_seconds: the most seconds that all of them may take.
        load_paths: the pages that are loaded, in turn.
        find: the selectors of the elements.
    """

    proven: bool = False
    executable: str = ""
    patience_s: float = Field(default=5, gt=0, le=60)
    loads: int = Field(default=60, ge=3, le=500)
    load_seconds: float = Field(default=60, gt=0, le=120)
    load_paths: Annotated[tuple[Path, ...], Field(min_length=1)] = ("/",)
    find: Find = Find()
