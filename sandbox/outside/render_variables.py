"""The environment variables of the services, and their shared groups."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sandbox.outside.render_services import POSTGRES, REGION, SERVICES
from sandbox.outside.world import World
from sandbox.platform import Secrets

_PLACEHOLDER = "your-secret-key-here-change-in-production"
_SHORT_SECRET = 16
_PUBLIC = "www.sandbox.invalid"


@dataclass(frozen=True, slots=True)
class Group:
    """An environment group.

    Attributes:
        services: short names of the linked services.
        age: the time since it was created.
    """

    id: str
    name: str
    services: tuple[str, ...]
    age: timedelta
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The database's connection data."""

    user: str
    password: str
    name: str

    @property
    def internal(self) -> str:
        """The URL within Render."""
        return f"postgresql://{self.user}:{self.password}@{POSTGRES}:5432/{self.name}"

    @property
    def external(self) -> str:
        """The public URL."""
        host = f"{POSTGRES}.{REGION}-postgres.render.com"
        return f"postgresql://{self.user}:{self.password}@{host}:5432/{self.name}"


class Variables:
    """The configuration of the services as stored on Render.

    Args:
        world: the faults, and the addresses of the platform.
        secrets: the platform's own secrets; other secrets are derived from them.
    """

    def __init__(self, world: World, secrets: Secrets) -> None:
        self._world = world
        self._secrets = secrets
        self.database = DatabaseAddress("kamiyo", self._made("database"), "kamiyo_prod")

    def own(self, service: str) -> dict[str, str]:
        """Return the variables of one service, without its groups."""
        match service:
            case "api":
                return self._of_api()
            case "frontend":
                return self._of_frontend()
        return {"ENVIRONMENT": "production", "LOG_LEVEL": "INFO"}

    def groups(self) -> tuple[Group, ...]:
        """Return the groups; the newer one overrides a wrong value of the older one."""
        everything = tuple(SERVICES)
        return (
            Group(
                "evg-sandboxdatabase00000",
                "kamiyo-database",
                everything,
                timedelta(days=400),
                {"DATABASE_URL": self.database.internal},
            ),
            Group(
                "evg-sandboxstripe0000000",
                "kamiyo-stripe",
                ("api", "frontend"),
                timedelta(days=200),
                {
                    "STRIPE_SECRET_KEY": f"sk_test_{self._made('stripe')}",
                    "STRIPE_WEBHOOK_SECRET": self._secrets.webhook_secret,
                },
            ),
        )

    def _of_api(self) -> dict[str, str]:
        found = {
            "ENVIRONMENT": "production",
            "ALLOWED_ORIGINS": self._origins(),
            "ADMIN_API_KEY": self._secrets.admin_key,
            "JWT_SECRET": self._long_secret(self._made("jwt")),
            "STRIPE_PUBLISHABLE_KEY": f"pk_test_{self._made('publishable')}",
            "SENTRY_DSN": self._secrets.sentry_dsn,
            "REDIS_URL": "redis://red-sandboxredis00000000:6379",
            "LOG_LEVEL": "INFO",
        }
        if "stripe-wrong-mode-key" in self._world.faults:
            found["STRIPE_SECRET_KEY"] = f"sk_live_{self._made('stripe')}"
        if "variable-missing" in self._world.faults:
            del found["JWT_SECRET"]
        return found

    def _of_frontend(self) -> dict[str, str]:
        found = {
            "NODE_ENV": "production",
            "NODE_VERSION": "20.18.0",
            "PORT": "3000",
            "NEXTAUTH_URL": self._address(self._world.frontend_url),
            "NEXTAUTH_SECRET": self._long_secret(self._secrets.nextauth_secret),
            "GOOGLE_CLIENT_ID": f"{self._made('google')[:24]}.apps.googleusercontent.com",
            "GOOGLE_CLIENT_SECRET": f"GOCSPX-{self._made('google-secret')[:28]}",
            "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY": f"pk_test_{self._made('publishable')}",
            "NEXT_PUBLIC_API_URL": self._world.api_url,
            "NEXT_PUBLIC_API_ENDPOINT": self._world.api_url,
            "NEXT_PUBLIC_SENTRY_DSN": self._secrets.sentry_dsn,
        }
        if "webhook-secrets-differ" in self._world.faults:
            found["STRIPE_WEBHOOK_SECRET"] = f"whsec_{self._made('another')}"
        if "database-url-differs" in self._world.faults:
            found["DATABASE_URL"] = self.database.internal.replace(POSTGRES, "dpg-another0000000000000-a")
        if "variable-missing" in self._world.faults:
            del found["GOOGLE_CLIENT_SECRET"]
        return found

    def _origins(self) -> str:
        # There is no https on 127.0.0.1; browsers treat such an origin as secure anyway.
        scheme = "http" if "http-origin" in self._world.faults else "https"
        origins = [self._world.frontend_url, f"{scheme}://{_PUBLIC}", self._world.api_url]
        slash = "/" if "trailing-slash-origin" in self._world.faults else ""
        return ",".join(origin + slash for origin in origins)

    def _address(self, url: str) -> str:
        if "http-origin" in self._world.faults:
            return f"http://{_PUBLIC}"
        return url + ("/" if "trailing-slash-origin" in self._world.faults else "")

    def _long_secret(self, secret: str) -> str:
        if "placeholder-secret" in self._world.faults:
            return _PLACEHOLDER
        return secret[:_SHORT_SECRET] if "short-secret" in self._world.faults else secret

    def _made(self, name: str) -> str:
        return hashlib.sha256(f"{name}:{self._secrets.admin_key}".encode()).hexdigest()[:40]
