"""What a new project is about: the services, what they answer, and the choices of its reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kamiyo_verify.cli.init.greeting import Greeting
from kamiyo_verify.cli.init.looking import Seen
from kamiyo_verify.cli.init.repository import Repository

COMMIT_LINE = 'commit.header = "X-Commit"'
"""What tells the commit of a service, in its table of the environment file."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """How the platform's test account signs in.

    Attributes:
        service: the service that it signs in at.
        send: "basic", "form" or "json".
        path: where.
        user: its user name.
        user_field: the field of the body that holds it.
        variable: the variable that holds its password.
    """

    service: str
    send: str
    path: str
    user: str
    user_field: str
    variable: str


@dataclass(frozen=True, slots=True)
class Host:
    """The host of the services.

    Attributes:
        kind: "render", "kubernetes", "command", or "" for none.
        namespace: of kubernetes: that of the Deployments, whose names are those of the services.
        context: of kubernetes: that of the kubeconfig.
    """

    kind: str = ""
    namespace: str = ""
    context: str = ""

    @property
    def reports_crashes(self) -> bool:
        """Whether it reports that a service crashed."""
        return self.kind != "command"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the project is about.

    Attributes:
        title: the platform's name.
        urls: the URL of each service, by name.
        seen: what each of them answers.
        workers: the names of services without a URL.
        host: the host.
        sign_in: how the test account signs in, or None.
        repository: what the repository around the project holds.
        control: addresses that are not the platform's.
        websockets: the WebSockets that its reader named, and what they did.
    """

    title: str
    urls: Mapping[str, str]
    seen: Mapping[str, Seen]
    workers: tuple[str, ...]
    host: Host
    sign_in: SignIn | None
    repository: Repository
    control: tuple[str, ...] = ()
    websockets: tuple[Greeting, ...] = ()

    @property
    def reports_no_commit(self) -> tuple[str, ...]:
        """The services that report their commit nowhere that was looked at."""
        return tuple(name for name, seen in self.seen.items() if not seen.commit)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that hold the project's credentials."""
        account = (self.sign_in.variable,) if self.sign_in else ()
        return (*account, *(("DATABASE_URL",) if self.repository.prisma else ()))
