"""Validate that environment files and runbook.toml use the same service names; report moved keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kamiyo_verify.config.draft import ConfigurationError, Draft
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.mistakes import Mistake, did_you_mean
from kamiyo_verify.integrations.kubernetes.access import lacking
from kamiyo_verify.model.runbook import ANY_SERVICE, Runbook

_DEPLOYMENT = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62}/)?[a-z0-9][a-z0-9.-]{0,252}")

_MOVED = {
    ("api", "url"): ("services", "api", "url"),
    ("api", "commit"): ("services", "api", "commit"),
    ("frontend", "url"): ("services", "frontend", "url"),
    ("frontend", "commit"): ("services", "frontend", "commit"),
    ("render", "api_service"): ("services", "api", "hosting_id"),
    ("render", "frontend_service"): ("services", "frontend", "hosting_id"),
}
"""Keys of earlier versions and their new keys."""


def refuse_moved_environment_keys(draft: Draft) -> None:
    """Refuse moved keys and name their new keys; also move the values, to avoid further errors."""
    for (table_name, key), new in _MOVED.items():
        table = draft.table.get(table_name)
        if not isinstance(table, dict) or key not in table:
            continue
        draft.refuse((table_name, key), f"has moved: write it as {new[2]} in [{new[0]}.{new[1]}]")
        value, place = table.pop(key), draft.table
        for step in new[:2]:
            place = place.setdefault(step, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict):
            place.setdefault(new[2], value)


def refuse_unknown_services(draft: Draft, overrides: Mapping[str, str]) -> None:
    """Refuse a command-line URL for a service that the environment file does not have.

    Raises:
        ConfigurationError: a service name is unknown.
    """
    services = draft.table.get("services")
    names = list(services) if isinstance(services, dict) else []
    for key in overrides:
        match key.split("."):
            case ["services", name, "url"] if names and name not in names:
                meant = did_you_mean(name, names) or ";"
                raise draft.refusal(
                    ("services", name), f"no service has this name{meant} there are: {', '.join(names)}"
                )


def services_fit(environment: Environment) -> Iterator[Mistake]:
    """Yield a mistake for each hosting_id that is malformed or not unique, and each name that is unknown."""
    seen: dict[str, str] = {}
    for name, service_id in environment.hosted.items():
        loc = ("services", name, "hosting_id")
        if environment.render is not None and not re.fullmatch(r"(srv|crn)-\w+", service_id):
            yield Mistake(loc, "must be a service's id on Render, such as srv-abc123")
        if environment.kubernetes is not None and not _DEPLOYMENT.fullmatch(service_id):
            yield Mistake(loc, "must be the name of a Deployment, such as notes, or NAMESPACE/NAME")
        if service_id in seen:
            yield Mistake(loc, f"is the id of {seen[service_id]} too; each service has its own")
        seen.setdefault(service_id, name)
    known = list(environment.services)
    for name, declared in environment.credentials.items():
        for service in declared.services:
            if service not in known:
                meant = did_you_mean(service, known) or ";"
                message = f"there is no [services.{service}]{meant} there are: {', '.join(known)}"
                yield Mistake(("credentials", name, "services"), message)
    yield from _load_fits(environment)
    if environment.render is not None and not seen:
        yield Mistake(("render",), "no [services.NAME] has a hosting_id, so Render cannot be asked about any")
    if environment.kubernetes is not None:
        if not seen:
            message = "no [services.NAME] has a hosting_id, so no Deployment can be looked at"
            yield Mistake(("kubernetes",), message)
        if why := lacking():
            yield Mistake(("kubernetes",), why)


def _load_fits(environment: Environment) -> Iterator[Mistake]:
    load = environment.load
    if load is None:
        return
    if load.service not in environment.public:
        meant = did_you_mean(load.service, environment.public) or ";"
        answering = ", ".join(environment.public)
        message = f"no [services.{load.service}] has a url{meant} these have: {answering}"
        yield Mistake(("load", "service"), message)
    fit = [name for name, one in environment.credentials.items() if load.service in one.services]
    if load.credential and load.credential not in fit:
        known = f"there are: {', '.join(fit)}" if fit else "there is none"
        message = f'no [credentials.{load.credential}] is for the service "{load.service}": {known}'
        yield Mistake(("load", "credential"), message)


def fitting(runbook: Runbook, environment: Environment) -> Runbook:
    """Return the runbook, after validating that the environment has all its services.

    Raises:
        ConfigurationError: the runbook names other services.
    """
    known = list(environment.services)
    strangers: dict[str, str] = {}
    for item in runbook.items:
        for service in item.services:
            if service not in known:
                strangers.setdefault(service, f"the item {item.id}")
    for pattern in runbook.log_patterns:
        if pattern.service not in {*known, ANY_SERVICE}:
            strangers.setdefault(pattern.service, f"the log pattern {pattern.id}")
    if not strangers:
        return runbook
    message = "; ".join(
        f'{where} names the service "{name}"{did_you_mean(name, known) or ";"}'
        for name, where in strangers.items()
    )
    raise ConfigurationError(
        f"runbook.toml and {environment.name}: {message} the environment has: {', '.join(known)}."
        f" Add [services.NAME] to its file, or correct the name in runbook.toml"
    )


def services_are_named(runbook: Runbook) -> Iterator[Mistake]:
    """Yield a mistake for each service in items and log patterns that [services.names] does not have."""
    known = list(runbook.services.names)
    if not known:
        return
    for n, item in enumerate(runbook.items):
        for service in item.services:
            if service not in known:
                meant = did_you_mean(service, known) or ";"
                yield Mistake(
                    ("items", n, "services"),
                    f'no service is called "{service}"{meant} [services.names] has: {", ".join(known)}',
                )
    for n, pattern in enumerate(runbook.log_patterns):
        if pattern.service not in {*known, ANY_SERVICE}:
            meant = did_you_mean(pattern.service, known) or ";"
            yield Mistake(
                ("log_patterns", n, "service"),
                f'no service is called "{pattern.service}"{meant} there are: any, {", ".join(known)}',
            )


def refuse_moved_runbook_keys(draft: Draft) -> None:
    """Refuse service names directly in [services], where earlier versions had them, next to `manual`."""
    services = draft.table.get("services")
    if not isinstance(services, dict):
        return
    for key in list(services):
        if key in {"api", "frontend"}:
            draft.refuse(("services", key), f"has moved: write {key} in [services.names]")
            services.pop(key)
