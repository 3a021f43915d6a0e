"""The services of a platform: any number, each identified everywhere by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from kamiyo_verify.model.tables import Credential, Origin, Path, Table

ServiceName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
"""A service's name: the NAME of `[services.NAME]`, both in the environment file and in runbook.toml."""


class CommitSource(Table):
    """Where a service reports its commit: a header of any answer, or a field of a JSON path."""

    header: str = ""
    path: str = ""
    field: str = "commit"

    @property
    def named(self) -> bool:
        """Whether the environment file names a source."""
        return bool(self.header or self.path)


class ServiceSettings(Table):
    """`[services.NAME]`: where one service answers, and how the host identifies it.

    Attributes:
        url: its public origin; absent for a worker, which receives no requests.
        hosting_id: its id at the host; "" if the host is not queried about it.
        health_path: a path that answers 200 while the service is healthy.
        commit: where it reports its commit; without it, the host's live deploy is used.
        sampling_paths: the paths whose response times and failures are sampled, in turn; `health_path` if
            none is given.
    """

    url: Origin | None = None
    hosting_id: Annotated[str, Field(pattern=r"^[\w.:/-]*$")] = ""
    health_path: Path = "/"
    commit: CommitSource = CommitSource()
    sampling_paths: Annotated[tuple[Path, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _samples_what_answers(self) -> Self:
        if self.sampling_paths and not self.url:
            raise ValueError("sampling_paths: there is no url to sample, so leave them out or give the url")
        return self


class SentAs(StrEnum):
    """Where a request carries a credential; FORM and JSON are the bodies of a sign-in, and nothing else."""

    HEADER = "header"
    BEARER = "bearer"
    BASIC = "basic"
    COOKIE = "cookie"
    QUERY = "query"
    FORM = "form"
    JSON = "json"


class DeclaredCredential(Table):
    """One credential, sent only to the services that it names.

    Attributes:
        variable: the variable that holds the secret.
        send: where a request carries it.
        field: the name of the header, the cookie, the query parameter or the field of the body.
        user: the user name, for "basic", "form" and "json".
        user_field: the field of the body that holds the user name.
        signed_in_path: a page that only a signed-in user can read, for "form" and "json": it proves a sign-in
            whose own answer does not.
        services: the services that it is sent to; no other service ever receives it.
    """

    variable: Credential
    send: SentAs = SentAs.BEARER
    field: Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]*$")] = ""
    user: Annotated[str, Field(pattern=r"^[^:\x00-\x1f]*$")] = ""
    user_field: str = "username"
    signed_in_path: Path | None = None
    services: Annotated[tuple[ServiceName, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.send in _NAMED and not self.field:
            raise ValueError(f'send = "{self.send}" needs a field: the name of the {_NAMED[self.send]}')
        if self.send in {SentAs.BEARER, SentAs.BASIC} and self.field:
            raise ValueError(f'send = "{self.send}" takes no field: it is the header Authorization')
        if self.signed_in_path and not self.signs_in:
            raise ValueError('signed_in_path is for send = "form" and "json": leave it out')
        if (self.send in _WITH_USER) != bool(self.user):
            raise ValueError('user is for send = "basic", "form" and "json", which need it')
        return self

    @property
    def signs_in(self) -> bool:
        """Whether it is sent in the body of a sign-in, and with no other request."""
        return self.send in {SentAs.FORM, SentAs.JSON}


_NAMED = {SentAs.HEADER: "header", SentAs.COOKIE: "cookie", SentAs.QUERY: "query parameter"}
_WITH_USER = {SentAs.BASIC, SentAs.FORM, SentAs.JSON}


class Services(Table):
    """Display names of the services, used if the host does not report one.

    Attributes:
        names: display names, by service name in the environment files.
        manual: instructions for a manual rollback, if nothing better is known; {service} is the name.
    """

    names: dict[ServiceName, str] = Field(default_factory=dict)
    manual: str = "{service} by hand, to its last good deploy; switch automatic deploys off first"

    def name(self, service: str) -> str:
        """Return the display name of a service."""
        return self.names.get(service, service)


AT_FAULT = "at_fault"
"""The name of a service's measurement by which an item that names no service says which ones it is about."""


def measurement_of(service: str, name: str) -> str:
    """Return the snake_case name of a service's measurement, such as "social_watcher_status"."""
    return f"{service.replace('-', '_')}_{name}"


def service_of(measurement: str, name: str) -> str:
    """Return the service of such a measurement; "" if it is not a measurement with that name."""
    prefix = measurement.partition("[")[0].removesuffix(f"_{name}")
    return prefix.replace("_", "-") if prefix != measurement.partition("[")[0] else ""


def in_order(names: Iterable[str], order: Iterable[str]) -> tuple[str, ...]:
    """Return these names once each, in that order; names that are not in `order` come last."""
    wanted = dict.fromkeys(names)
    known = [name for name in dict.fromkeys(order) if name in wanted]
    return (*known, *(name for name in wanted if name not in known))


def hosting_ids(services: Mapping[str, ServiceSettings]) -> dict[str, str]:
    """Return the host's id of each service that has one, by name."""
    return {name: service.hosting_id for name, service in services.items() if service.hosting_id}
