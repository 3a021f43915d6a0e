"""The ready message of the sandbox: one line of JSON for programs, a table for people."""

from __future__ import annotations

import json
import os
import sys

from sandbox.outside.systems import addresses
from sandbox.platform import Platform


def tell(platform: Platform, database_url: str, control_url: str, outside_url: str) -> None:
    """Write the JSON line to standard output, and the table if a terminal is connected."""
    line = json.dumps(described(platform, database_url, control_url, outside_url)) + "\n"
    os.write(1, line.encode())  # unbuffered, so that no flush can fail at exit if the reader is gone
    if sys.stdin.isatty() and sys.stderr.isatty():
        sys.stderr.write(_table(platform, database_url, control_url))


def described(platform: Platform, database_url: str, control_url: str, outside_url: str) -> dict[str, object]:
    """Return the settings, credentials and address that a run reads from the line."""
    secrets = platform.secrets
    return {
        "settings": {
            "services.api.url": platform.api_url,
            "services.frontend.url": platform.frontend_url,
            "api.origins": list(platform.allowed_origins),
            "api.heartbeat_s": platform.heartbeat_s,
            "project.path": platform.project_path,
            **addresses(outside_url),
        },
        "credentials": {
            "SANDBOX_API_KEY": secrets.api_key,
            "SANDBOX_ADMIN_KEY": secrets.admin_key,
            "SANDBOX_NEXTAUTH_SECRET": secrets.nextauth_secret,
            "SANDBOX_SESSION_TOKEN": secrets.session_token,
            "SANDBOX_EMAIL": secrets.email,
            "SANDBOX_PASSWORD": secrets.password,
            "SANDBOX_WEBHOOK_SECRET": secrets.webhook_secret,
            "SANDBOX_DATABASE_URL": database_url,
            "SANDBOX_RENDER_API_KEY": secrets.render_api_key,
            "SANDBOX_SENTRY_AUTH_TOKEN": secrets.sentry_token,
            "SANDBOX_SENTRY_DSN": secrets.sentry_dsn,
            "SANDBOX_STRIPE_API_KEY": secrets.stripe_key,
            "SANDBOX_GITHUB_TOKEN": secrets.github_token,
            "SANDBOX_STATUSPAGE_API_KEY": secrets.statuspage_key,
            "SANDBOX_PAGERDUTY_TOKEN": secrets.pagerduty_token,
        },
        "control_url": control_url,
    }


def _table(platform: Platform, database_url: str, control_url: str) -> str:
    rows = {
        "website": platform.frontend_url,
        "sign in": f"{platform.secrets.email} with {platform.secrets.password}",
        "API": f"{platform.api_url}/exploits",
        "API key": platform.secrets.api_key,
        "live updates": f"ws{platform.api_url.removeprefix('http')}/ws?token={platform.secrets.api_key}",
        "database": database_url,
        "checkout": platform.project_path,
        "break it": f"curl -X POST {control_url}/faults/slow",
        "mend it": f"curl -X DELETE {control_url}/faults",
        "all faults": f"curl {control_url}/faults",
        "end it": "Ctrl-C",
    }
    return "\n" + "".join(f"  {name:<13} {value}\n" for name, value in rows.items()) + "\n"
