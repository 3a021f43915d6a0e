"""What the sandbox's services share: settings, secrets, faults, the database."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, field

from psycopg_pool import AsyncConnectionPool

from sandbox.cache import AnswerCache
from sandbox.faults import Faults
from sandbox.outside.scenes import Scene
from sandbox.outside.world import DEPLOY_S, DOWNTIME_S, World

ANOTHER_COMMIT = "0ddc0de0ddc0de0ddc0de0ddc0de0ddc0de0ddc0"
"""What answers under the fault `wrong-commit`."""


def _secret(name: str, made: str) -> str:
    """A secret from the process environment, so that a run can bring its own; else a fresh one."""
    return os.environ.get(name) or made


@dataclass(frozen=True, slots=True)
class Secrets:
    """Every secret of the platform; the names are those of environments/sandbox.toml.

    Attributes:
        api_key: of the tier "enterprise"; `tier_key` gives the keys of the others.
        database_password: of the role `verifier`, which can only read.
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
        """The API key of a tier; who knows the enterprise key can work out the others."""
        if tier == "enterprise":
            return self.api_key
        return "km_" + hashlib.sha256(f"{tier}:{self.api_key}".encode()).hexdigest()[:40]


@dataclass(slots=True)
class Platform:
    """The running platform.

    Attributes:
        heartbeat_s: seconds between two heartbeats of the one server-wide clock.
        latency_ms: what an API answer takes at the least, so that "30 % slower" means something.
        commit: the commit that is released; where it is live, it answers in the header X-Commit.
        project_path: the checkout of what is deployed.
        scene, deploy_s, downtime_s: as of `World`.
        api_requests: how many the API has had; some fail under `errors-two-percent` and the like.
        cache: the API's answers by URL; emptied whenever a fault is switched.
        world: what is outside, and which commit each service runs.
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
        """The commit that "api" or "frontend" names in X-Commit."""
        return ANOTHER_COMMIT if "wrong-commit" in self.faults else self.world.answering(service)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may call the API from a browser."""
        return (self.frontend_url, "https://www.sandbox.invalid", self.api_url)
