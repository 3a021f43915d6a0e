"""One quick request to each main feature: is the service usable?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kamiyo_platform.api import ApiClient
from kamiyo_platform.frontend import FrontendClient
from kamiyo_verify.integrations.nextauth.client import SignInClient


@pytest.fixture
def smoke_test(
    api: ApiClient, frontend: FrontendClient, sign_in: SignInClient
) -> Callable[[str], dict[str, str]]:
    """The problem of each main feature, by name; "" if it works."""

    def of_api() -> dict[str, str]:
        health, readiness = api.health(), api.readiness()
        exploits = api.exploits(page=1, page_size=10).total
        return {
            "health": "" if health.status == "healthy" else f'/health says "{health.status}"',
            "readiness": "" if readiness.status == "ready" else f'/ready says "{readiness.status}"',
            "exploits": "" if exploits else "no exploit is listed",
        }

    def of_frontend() -> dict[str, str]:
        home, page, proxy = frontend.page("/"), sign_in.page(), frontend.get("/api/health")
        return {
            "home": "" if home.body.strip() else "the home page is empty",
            "sign_in": "" if page.status == 200 and page.body.strip() else page.mismatch("200 and a page"),
            "way_to_the_api": "" if proxy.status == 200 else proxy.mismatch("200"),
        }

    return lambda service: {"api": of_api, "frontend": of_frontend}[service]()
