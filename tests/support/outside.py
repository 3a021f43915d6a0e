"""The outside systems of the sandbox served by themselves, and real clients of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from kamiyo_verify.config.environment import Api
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.github.client import GitHub
from kamiyo_verify.integrations.github.settings import GitHub as GitHubSettings
from kamiyo_verify.integrations.pagerduty.client import PagerDuty
from kamiyo_verify.integrations.pagerduty.settings import PagerDuty as PagerDutySettings
from kamiyo_verify.integrations.prometheus.client import Prometheus
from kamiyo_verify.integrations.sentry.client import Sentry
from kamiyo_verify.integrations.sentry.settings import Sentry as SentrySettings
from kamiyo_verify.integrations.statuspage.client import StatusPages
from kamiyo_verify.integrations.statuspage.settings import StatusPages as StatusPagesSettings
from kamiyo_verify.integrations.stripe.client import StripeAccount
from kamiyo_verify.integrations.stripe.settings import Stripe as StripeSettings
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from sandbox.faults import Faults
from sandbox.outside.github import REPOSITORY, create_github
from sandbox.outside.pagerduty import SCHEDULE, create_pagerduty
from sandbox.outside.scenes import Scene
from sandbox.outside.sentry import create_sentry
from sandbox.outside.sentry_data import ORGANIZATION, PROJECTS
from sandbox.outside.status_pages import OWN_PAGE, PAGES, create_own_page, create_public_page
from sandbox.outside.stripe_account import create_stripe
from sandbox.outside.world import World
from sandbox.platform import Secrets
from tests.support.serving import Wire, serving

COMMIT = "5a" * 20
TIMEOUTS = Timeouts(connect=2, answer=5, item=20)


def credential(name: str, value: str) -> Credential:
    return Credential(name=name, value=SecretStr(value))


class Clients:
    """Real clients of whatever answers at an origin; closed together."""

    def __init__(
        self, origin: str, secrets: Secrets, timeouts: Timeouts = TIMEOUTS, remaining_s: float = 20.0
    ) -> None:
        self.origin = origin
        self.exchanges: list[Exchange] = []
        self.sentry = Sentry(
            SentrySettings(
                address=f"{origin}/sentry",
                token=credential("SENTRY_AUTH_TOKEN", secrets.sentry_token),
                organization=ORGANIZATION,
                projects=tuple(project.slug for project in PROJECTS),
            ),
            ClientContext(timeouts, self.exchanges.append, lambda: remaining_s),
        )
        self.github = GitHub(
            GitHubSettings(
                address=f"{origin}/github",
                token=credential("GITHUB_TOKEN", secrets.github_token),
                repository=REPOSITORY,
            ),
            ClientContext(timeouts, self.exchanges.append, lambda: remaining_s),
        )
        self.status_pages = StatusPages(
            StatusPagesSettings(
                own_address=f"{origin}/statuspage",
                own_page_id=OWN_PAGE,
                own_key=credential("STATUSPAGE_API_KEY", secrets.statuspage_key),
            ),
            ClientContext(timeouts, self.exchanges.append, lambda: remaining_s),
        )
        self.pagerduty = PagerDuty(
            PagerDutySettings(
                address=f"{origin}/pagerduty",
                token=credential("PAGERDUTY_TOKEN", secrets.pagerduty_token),
                schedules=(SCHEDULE,),
            ),
            ClientContext(timeouts, self.exchanges.append, lambda: remaining_s),
        )
        self.stripe = StripeAccount(
            StripeSettings(address=f"{origin}/stripe", key=credential("STRIPE_API_KEY", secrets.stripe_key)),
            ClientContext(timeouts, self.exchanges.append, lambda: remaining_s),
        )
        self.prometheus = Prometheus(
            Api().metrics_path,
            ClientContext(timeouts, self.exchanges.append, lambda: remaining_s),
            url=origin,
        )

    def close(self) -> None:
        for client in (self.sentry, self.github, self.pagerduty, self.stripe, self.prometheus):
            client.close()


@dataclass
class Outside:
    """The outside systems, living."""

    world: World
    secrets: Secrets
    clients: Clients
    wire: Wire


@contextmanager
def outside(*faults: str, scene: Scene = Scene.POSTDEPLOY) -> Iterator[Outside]:
    """Serve them all, as the sandbox does, in that scene with those faults on."""
    world, secrets = World(Faults(faults), COMMIT, scene), Secrets()
    wire = Wire(
        Starlette(
            routes=[
                Mount("/sentry", create_sentry(world, secrets)),
                Mount("/github", create_github(world, secrets)),
                Mount("/pagerduty", create_pagerduty(world, secrets)),
                Mount("/stripe", create_stripe(world, secrets)),
                Mount("/statuspage", create_own_page(world, secrets)),
                *(Mount(f"/status/{name}", create_public_page(world, name)) for name in PAGES),
            ]
        )
    )
    with serving(wire) as origin:
        clients = Clients(origin, secrets)
        try:
            yield Outside(world, secrets, clients, wire)
        finally:
            clients.close()
