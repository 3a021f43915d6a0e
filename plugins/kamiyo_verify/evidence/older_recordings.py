"""Convert recordings of earlier versions to the current format, so that they can be judged again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOVED_NAMES = ("api", "frontend")


def current_runbook(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recorded runbook in the current format: earlier versions had service names in [services]."""
    services = data.get("services")
    if not isinstance(services, Mapping) or "names" in services or not set(_MOVED_NAMES) & set(services):
        return dict(data)
    names = {name: services[name] for name in _MOVED_NAMES if name in services}
    rest = {key: value for key, value in services.items() if key not in names}
    return {**data, "services": {**rest, "names": names}}


def current_evidence(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return recorded evidence in the current format: earlier versions kept only two deploys per service."""
    hosted = data.get("hosted")
    if not isinstance(hosted, list | tuple) or not any("last_good" in one for one in hosted):
        return dict(data)
    return {**data, "hosted": [_state(one) for one in hosted]}


def _state(old: Mapping[str, Any]) -> dict[str, Any]:
    api = old["api"]
    deploys = [_deploy(old["current"], "live"), _deploy(old["last_good"], "deactivated")]
    return {
        "service": old["service"],
        "id": str(api).rpartition("/")[2],
        "name": old["name"],
        "dashboard": old["dashboard"],
        "api": api,
        "calls": [f'PATCH {api} {{"autoDeploy": "no"}}', f'POST {api}/rollback {{"deployId": "{{deploy}}"}}'],
        "auto_deploy": old["auto_deploy"],
        "suspended": False,
        "deploys": [one for one in deploys if one],
    }


def _deploy(old: Mapping[str, Any] | None, status: str) -> dict[str, Any] | None:
    if old is None:
        return None
    return {
        "id": old["deploy"],
        "commit": {"id": old["commit"]} if old["commit"] else None,
        "status": status,
        "created_at": old["began_at"],
        "finished_at": old["live_at"] or None,
    }
