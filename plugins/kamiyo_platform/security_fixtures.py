"""Fixtures of the security checks: what to request, and when there is nothing to check."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kamiyo_platform.access import AdminAccess
from kamiyo_platform.access import delivery_let_in as was_let_in
from kamiyo_platform.api import ApiClient
from kamiyo_platform.frontend import FrontendClient
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.leaks import leak_in
from kamiyo_verify.model.outcomes import NotApplicable, Unverified
from kamiyo_verify.model.words import Part

_HEADERS = frozenset(
    {
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "content-security-policy",
        "permissions-policy",
    }
)


@pytest.fixture
def own_origins(environment: Environment) -> tuple[str, ...]:
    """Our own websites, which may read the API.

    Raises:
        Unverified: the environment names none.
    """
    if not environment.api.origins:
        raise Unverified("nothing there to check: [api] origins is empty")
    return environment.api.origins


@pytest.fixture
def working_answer(
    environment: Environment, api: ApiClient, frontend: FrontendClient
) -> Callable[[str], Answer]:
    """The first answer 200 of "api" or "frontend": the headers of an error may come from a gateway.

    Raises:
        ServerBroke, WrongAnswer: none of its usual paths works.
    """
    paths_of: dict[str, tuple[Callable[[str], Answer], tuple[str, ...]]] = {
        "api": (api.get, ("/health", "/ready", "/chains")),
        "frontend": (frontend.get, ("/", environment.sign_in.page_path, environment.frontend.dashboard_path)),
    }

    def of(service: str) -> Answer:
        get, paths = paths_of[service]
        for path in paths:
            answer = get(path)
            if answer.status == 200:
                break
        return answer.wanted()

    return of


@pytest.fixture(scope="session")
def security_headers(environment: Environment) -> frozenset[str]:
    """The headers that every answer needs, in lower case; in production HSTS too."""
    return _HEADERS | {"strict-transport-security"} if environment.production else _HEADERS


@pytest.fixture
def provoked_error(api: ApiClient) -> Callable[[str], tuple[int, str]]:
    """Status of a provoked error, and internals of the platform that its body reveals.

    Raises:
        Unverified: the request provokes no error.
    """

    def of(path: str) -> tuple[int, str]:
        answer = api.get(path)
        if answer.status < 400:
            raise Unverified(f"nothing there to check: GET {path} answers {answer.status}, which is no error")
        return answer.status, leak_in(answer)

    return of


@pytest.fixture
def admin_access(environment: Environment, api: ApiClient) -> AdminAccess:
    """How the admin addresses answer unauthenticated requests.

    Raises:
        NotApplicable: the only address is of a report that the environment declares absent.
    """
    found = api.admin_access()
    only_report = set(environment.api.admin_paths) == {environment.api.slow_queries_path}
    if only_report and found.missing and Part.SLOW_QUERIES in environment.absent:
        raise NotApplicable(
            f"{environment.name} has no {Part.SLOW_QUERIES}, the only address in [api] admin_paths"
        )
    return found


@pytest.fixture(scope="session")
def delivery_let_in() -> Callable[[Answer], bool]:
    """Whether the webhook accepted a delivery."""
    return was_let_in
