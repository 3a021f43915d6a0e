"""Shared state of the sandbox's services: settings, secrets, faults, the database."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, field

from psycopg_pool import AsyncConnectionPool

from sandbox.authority import Certificate
from sandbox.cache import AnswerCache
from sandbox.faults import Faults
from sandbox.outside.scenes import Scene
from sandbox.outside.world import DEPLOY_S, DOWNTIME_S, World

ANOTHER_COMMIT = "0ddc0de0ddc0de0ddc0de0ddc0de0ddc0de0ddc0"
"""The commit in X-Commit under the fault `wrong-commit`."""

PROXY_PATH = "/api/backend"
"""Where the website passes requests on to the API, for the form `server-side-proxy`."""


def _secret(name: str, made: str) -> str:
    """Return a secret from the process environment, or the newly made one."""
    return os.environ.get(name) or made


@dataclass(frozen=True, slots=True)
class Secrets:
    """Every secret of the platform; the names are those of environments/sandbox.toml.

    Attributes:
        api_key: the key of the tier "enterprise"; see `tier_key` for the others.
        database_password: the password of the read-only role `verifier`.
    """

    api_key: str = field(default_factory=lambda: _secret("SANDBOX_API_KEY", "km_" + secrets.token_hex(20)))
    admin_key: str = field(default_factory=lambda: _secret("SANDBOX_ADMIN_KEY", secrets.token_hex(20)))
    nextauth_secret: str = field(
        default_factory=lambda: _secret("SANDBOX_NEXTAUTH_SECRET", secrets.token_hex(24))
    )
    session_token: str = field(
        default_factory=lambda: _secret("SANDBOX_SESSION_TOKEN", secrets.token_hex(32))
    )
    email: str = field(default_factory=lambda: _secret("SANDBOX_EMAIL", "release-test@sandbox.invalid"))
    password: str = field(default_factory=lambda: _secret("SANDBOX_PASSWORD", secrets.token_urlsafe(18)))
    webhook_secret: str = field(
        default_factory=lambda: _secret("SANDBOX_WEBHOOK_SECRET", "whsec_" + secrets.token_hex(16))
    )
    database_password: str = field(
        default_factory=lambda: _secret("SANDBOX_DATABASE_PASSWORD", secrets.token_hex(20))
    )
    render_api_key: str = field(
        default_factory=lambda: _secret("SANDBOX_RENDER_API_KEY", "rnd_" + secrets.token_hex(16))
    )
    sentry_token: str = field(
        default_factory=lambda: _secret("SANDBOX_SENTRY_AUTH_TOKEN", "sntryu_" + secrets.token_hex(32))
    )
    sentry_dsn: str = field(
        default_factory=lambda: _secret(
            "SANDBOX_SENTRY_DSN", f"https://{secrets.token_hex(16)}@o4504765.ingest.us.sentry.io/4507101"
        )
    )
    stripe_key: str = field(
        default_factory=lambda: _secret("SANDBOX_STRIPE_API_KEY", "sk_test_" + secrets.token_hex(24))
    )
    github_token: str = field(
        default_factory=lambda: _secret("SANDBOX_GITHUB_TOKEN", "ghp_" + secrets.token_hex(18))
    )
    statuspage_key: str = field(
        default_factory=lambda: _secret("SANDBOX_STATUSPAGE_API_KEY", secrets.token_hex(32))
    )
    pagerduty_token: str = field(
        default_factory=lambda: _secret("SANDBOX_PAGERDUTY_TOKEN", "u+" + secrets.token_hex(9))
    )

    def tier_key(self, tier: str) -> str:
        """Return the API key of a tier; the other keys can be derived from the enterprise key."""
        if tier == "enterprise":
            return self.api_key
        return "km_" + hashlib.sha256(f"{tier}:{self.api_key}".encode()).hexdigest()[:40]


@dataclass(slots=True)
class Platform:
    """The running platform.

    Attributes:
        heartbeat_s: seconds between two heartbeats of the server-wide clock.
        latency_ms: the minimum time of an API response, so that "30 % slower" is measurable.
        commit: the released commit; where it is live, the header X-Commit contains it.
        project_path: the checkout of the deployed project.
        scene, deploy_s, downtime_s: see `World`.
        forms: of `FORMS`.
        certificate: of the API and the website, where they are served over TLS.
        api_requests: number of API requests; a share of them fails under faults such as `errors-two-percent`.
        cache: the API's responses by URL; emptied whenever a fault is switched.
        world: the external systems, and the commit that each service runs.
    """

    secrets: Secrets
    faults: Faults
    pool: AsyncConnectionPool
    api_url: str
    frontend_url: str
    heartbeat_s: float
    latency_ms: float
    commit: str
    project_path: str = ""
    scene: Scene = Scene.POSTDEPLOY
    deploy_s: float = DEPLOY_S
    downtime_s: float = DOWNTIME_S
    forms: frozenset[str] = frozenset()
    certificate: Certificate | None = None
    api_requests: int = 0
    cache: AnswerCache = field(default_factory=AnswerCache)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(
            faults=self.faults,
            commit_id=self.commit,
            scene=self.scene,
            api_url=self.api_url,
            frontend_url=self.frontend_url,
            deploy_s=self.deploy_s,
            downtime_s=self.downtime_s,
        )

    def answering_commit(self, service: str) -> str:
        """Return the commit in the X-Commit header of "api" or "frontend"."""
        return ANOTHER_COMMIT if "wrong-commit" in self.faults else self.world.answering(service)

    @property
    def pages_api_url(self) -> str:
        """The URL at which pages in a browser call the API: its own, or a path of the website."""
        return PROXY_PATH if "server-side-proxy" in self.forms else self.api_url

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may call the API from a browser."""
        if "server-side-proxy" in self.forms:
            return ()
        return (self.frontend_url, "https://www.sandbox.invalid", self.api_url)
