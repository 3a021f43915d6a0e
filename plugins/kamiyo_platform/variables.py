"""Rules for the environment variables of the services.

Every rule returns sentences that name variables and rules; they never contain a value or a part of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kamiyo_platform.values import (
    FORMS,
    WEBHOOK_SECRET,
    DatabaseAddress,
    address_problem,
    database_address,
    is_placeholder,
    secret_problem,
)
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.model.hosting.data import Variables
from kamiyo_verify.model.words import Part

_REQUIRED: dict[str, tuple[str, ...]] = {
    "api": ("DATABASE_URL", "ENVIRONMENT", "ALLOWED_ORIGINS", "ADMIN_API_KEY", "JWT_SECRET"),
    "frontend": ("DATABASE_URL", "NEXT_PUBLIC_API_URL", "NEXT_PUBLIC_API_ENDPOINT", "NODE_VERSION", "PORT"),
}
_OF_SIGN_IN: dict[str, tuple[str, ...]] = {"api": (), "frontend": ("NEXTAUTH_URL", "NEXTAUTH_SECRET")}
_OF_PAYMENTS: dict[str, tuple[str, ...]] = {
    "api": ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET"),
    "frontend": ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY"),
}
_OF_GOOGLE = ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET")
_OPTIONAL: dict[str, tuple[str, ...]] = {
    "api": ("REDIS_URL", "SENTRY_DSN"),
    "frontend": ("NEXT_PUBLIC_SENTRY_DSN", "NODE_ENV"),
}

_OF_ITEMS_OF_THEIR_OWN = frozenset(
    {"DATABASE_URL", "ALLOWED_ORIGINS", "NEXTAUTH_URL", "NEXTAUTH_SECRET", "STRIPE_WEBHOOK_SECRET"}
)


@dataclass(frozen=True, slots=True)
class VariableRules:
    """Checks the variables of both services, "api" and "frontend", against the rules of an environment."""

    services: Mapping[str, Variables]
    environment: Environment

    def required(self) -> Iterator[tuple[str, str]]:
        """Each service with each variable that it requires."""
        absent = self.environment.absent
        for service in self.services:
            names = [*_REQUIRED[service]]
            names += _OF_PAYMENTS[service] if Part.PAYMENTS not in absent else ()
            if Part.SIGN_IN not in absent:
                names += _OF_SIGN_IN[service]
                with_google = service == "frontend" and "google" in self.environment.sign_in.providers
                names += _OF_GOOGLE if with_google else ()
            yield from ((service, name) for name in names)

    def missing(self) -> tuple[str, ...]:
        """The required variables that are not set, or blank."""
        return tuple(
            _label(name, service) for service, name in self.required() if not self._text(service, name)
        )

    def warnings(self) -> tuple[str, ...]:
        """Probable mistakes that are not failures."""
        found = [
            f"{_label(name, service)} is not set"
            for service in self.services
            for name in _OPTIONAL[service]
            if not self._text(service, name)
        ]
        return (*found, *(f"{_label('LOG_LEVEL', service)} is DEBUG" for service in self._debugging()))

    def malformed(self) -> tuple[str, ...]:
        """Problems of the required variables that have no item of their own."""
        problems = []
        for service, name in self.required():
            text = self._text(service, name)
            if text and (problem := self._form_problem(service, name, text)):
                problems.append(f"{_label(name, service)} {problem}")
        return tuple(problems)

    def origin_problems(self) -> tuple[str, ...]:
        """Problems of ALLOWED_ORIGINS: each must be https, and all of ours must be among them."""
        text = self._text("api", "ALLOWED_ORIGINS")
        if not text:
            return (f"{_label('ALLOWED_ORIGINS', 'api')} is not set",)
        entries = text.split(",")
        found = ((n, self._address_problem(entry)) for n, entry in enumerate(entries, 1))
        problems = [f"number {n} of ALLOWED_ORIGINS {problem}" for n, problem in found if problem]
        ours = dict.fromkeys((*self.environment.api.origins, self.environment.frontend_url))
        return (*problems, *(f"{own} is not in ALLOWED_ORIGINS" for own in ours if own not in entries))

    def dsns(self) -> dict[str, str]:
        """The Sentry DSNs that are set, by their location."""
        places = (("api", "SENTRY_DSN"), ("frontend", "NEXT_PUBLIC_SENTRY_DSN"))
        return {
            _label(name, service): text for service, name in places if (text := self._text(service, name))
        }

    def nextauth_secret_problems(self) -> tuple[str, ...]:
        """Problems of NEXTAUTH_SECRET."""
        text = self._text("frontend", "NEXTAUTH_SECRET")
        problem = secret_problem(text) if text else "is not set"
        return (f"{_label('NEXTAUTH_SECRET', 'frontend')} {problem}",) if problem else ()

    def nextauth_url_problems(self) -> tuple[str, ...]:
        """Problems of NEXTAUTH_URL: it must be exactly the public address."""
        text, public = self._text("frontend", "NEXTAUTH_URL"), self.environment.frontend_url
        problem = self._address_problem(text) if text else "is not set"
        if not problem and text != public:
            problem = f"is not {public}, the public address"
        return (f"{_label('NEXTAUTH_URL', 'frontend')} {problem}",) if problem else ()

    def webhook_secret_problems(self) -> tuple[str, ...]:
        """Problems of STRIPE_WEBHOOK_SECRET: it must be in Stripe's form, and the same in every place."""
        name = "STRIPE_WEBHOOK_SECRET"
        texts = {service: self._text(service, name) for service in self.services}
        problems = [
            f"{_label(name, service)} is {'not of the form whsec_…' if text else 'not set'}"
            for service, text in texts.items()
            if not WEBHOOK_SECRET.fullmatch(text) or is_placeholder(text)
        ]
        if len(set(texts.values())) > 1:
            problems.append(f"STRIPE_WEBHOOK_SECRET differs between {' and '.join(texts)}")
        ours = self.environment.payments.webhook_secret
        known = ours.reveal().replace(",", " ").split() if ours.present else []  # two, while one is rolled
        if known and any(text and text not in known for text in texts.values()):
            problems.append(f"STRIPE_WEBHOOK_SECRET is not the one that {ours.name} gives to this suite")
        return tuple(problems)

    def key_mode_problems(self) -> tuple[str, ...]:
        """Stripe keys of the wrong mode."""
        wanted = "live" if self.environment.production else "test"
        keys = (
            (service, name) for service, name in self.required() if "STRIPE" in name and name.endswith("_KEY")
        )
        return tuple(
            f"{_label(name, service)} is {'not set' if not text else f'no {wanted} key'}"
            for service, name in keys
            if not re.match(rf"(?:sk|rk|pk)_{wanted}_", text := self._text(service, name))
        )

    def database_problems(self, known: tuple[DatabaseAddress, ...]) -> tuple[str, ...]:
        """Problems of DATABASE_URL.

        Args:
            known: the valid addresses; if there are none, the URLs of both services must agree.
        """
        found: dict[str, DatabaseAddress] = {}
        problems = []
        for service in self.services:
            text = self._text(service, "DATABASE_URL")
            try:
                found[service] = database_address(text)
            except ValueError as why:
                problems.append(f"{_label('DATABASE_URL', service)} {why if text else 'is not set'}")
        for service, address in found.items():
            if known and address not in known:
                problems.append(f"{_label('DATABASE_URL', service)} {_difference(address, known)}")
        if len(set(found.values())) > 1 and not known:
            problems.append(f"DATABASE_URL differs between {' and '.join(found)}")
        return tuple(problems)

    def _form_problem(self, service: str, name: str, text: str) -> str:
        if name in self.services[service].contested:
            return "has two values, from two linked groups: Render does not promise which one holds"
        if name in _OF_ITEMS_OF_THEIR_OWN:
            return ""
        if text != text.strip() or text[:1] in {'"', "'"}:
            return "has spaces or quotes around it"
        if is_placeholder(text) and not text.isdigit():
            return "is a placeholder"
        if name in {"NEXT_PUBLIC_API_URL", "NEXT_PUBLIC_API_ENDPOINT"}:
            return self._address_problem(text) or (
                "" if f"{text}/".startswith(f"{self.environment.api_url}/") else "is no address of the API"
            )
        return FORMS[name](text) if name in FORMS else ""

    def _address_problem(self, text: str) -> str:
        return address_problem(text, production=self.environment.production)

    def _debugging(self) -> list[str]:
        return [service for service in self.services if self._text(service, "LOG_LEVEL").upper() == "DEBUG"]

    def _text(self, service: str, name: str) -> str:
        value = self.services[service].get(name)
        text = value.get_secret_value() if value is not None else ""
        return text if text.strip() else ""


def _label(name: str, service: str) -> str:
    return f"{name} on {service}"


def _difference(address: DatabaseAddress, known: tuple[DatabaseAddress, ...]) -> str:
    """The first part that differs from all known addresses, the most informative part first."""
    for part in ("server", "port", "name", "user", "password"):
        if getattr(address, part) not in {getattr(one, part) for one in known}:
            return f"names another {part} than Render's own"
    return "mixes parts of Render's two addresses"
