"""All external systems at one address, each below its own path."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.outside.github import create_github
from sandbox.outside.pagerduty import create_pagerduty
from sandbox.outside.render import create_render
from sandbox.outside.sentry import create_sentry
from sandbox.outside.status_pages import PAGES, create_own_page, create_public_page
from sandbox.outside.stripe_account import create_stripe
from sandbox.outside.world import World
from sandbox.platform import Secrets

_RENDER = "/render/v1"


def create_outside(world: World, secrets: Secrets) -> Starlette:
    """Create the external systems; each requires its credential."""
    return Starlette(
        routes=[
            Mount(_RENDER, create_render(world, secrets)),
            Mount("/sentry", create_sentry(world, secrets)),
            Mount("/github", create_github(world, secrets)),
            Mount("/stripe", create_stripe(world, secrets)),
            Mount("/pagerduty", create_pagerduty(world, secrets)),
            Mount("/statuspage", create_own_page(world, secrets)),
            *(Mount(f"/status/{name}", create_public_page(world, name)) for name in PAGES),
        ]
    )


def addresses(origin: str) -> dict[str, str]:
    """Return the address of each system, by its key in an environment file."""
    return {
        "render.address": f"{origin}{_RENDER}",
        "sentry.address": f"{origin}/sentry",
        "github.address": f"{origin}/github",
        "stripe.address": f"{origin}/stripe",
        "pagerduty.address": f"{origin}/pagerduty",
        "status_pages.own_address": f"{origin}/statuspage",
        **{f"status_pages.{name}": f"{origin}/status/{name}" for name in PAGES},
    }
