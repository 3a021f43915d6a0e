"""Services are named, any number of them: in environment files, on the command line, and in runbook.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import ConfigurationError, load_environment, load_runbook
from kamiyo_verify.config.runbook import runbook_of
from kamiyo_verify.config.service_names import fitting
from kamiyo_verify.model.outcomes import Unverified
from tests.engine.config.test_runbook_mistakes import GOOD

SHIPPED = Path(__file__).parents[3] / "environments"

FOUR = """
[services.web]
url = "https://shop.example.com"
hosting_id = "srv-1"
commit = { path = "/version" }

[services.basket]
url = "https://basket.example.com"
health_path = "/ready"

[services.mail-sender]
hosting_id = "srv-3"

[services.nightly]
hosting_id = "crn-4"

[render]
owner = "tea-1"
"""


def load(folder: Path, text: str, **overrides: str) -> Environment:
    (folder / "shop.toml").write_text(text, encoding="utf-8")
    settings = {key.replace("__", "."): value for key, value in overrides.items()}
    return load_environment("shop", folder, overrides=settings, variables={}, dotenv=None)


def test_any_number_of_services_of_any_name(tmp_path: Path) -> None:
    here = load(tmp_path, FOUR)

    assert list(here.services) == ["web", "basket", "mail-sender", "nightly"]
    assert here.public == {"web": "https://shop.example.com", "basket": "https://basket.example.com"}
    assert here.hosted == {"web": "srv-1", "mail-sender": "srv-3", "nightly": "crn-4"}
    assert here.services["basket"].health_path == "/ready"


def test_one_service_is_enough(tmp_path: Path) -> None:
    here = load(tmp_path, '[services.site]\nurl = "https://example.com"\n')

    assert list(here.public) == ["site"]
    assert here.hosted == {}


@pytest.mark.parametrize("service", ["mail-sender", "api"])
def test_a_service_without_an_address_is_not_asked(tmp_path: Path, service: str) -> None:
    with pytest.raises(Unverified, match=rf"shop has no \[services\.{service}\] with a url"):
        load(tmp_path, FOUR).url(service)


def test_the_command_line_gives_any_service_another_address(tmp_path: Path) -> None:
    here = load(tmp_path, FOUR, services__basket__url="http://127.0.0.1:9")
    assert here.url("basket") == "http://127.0.0.1:9"

    with pytest.raises(ConfigurationError, match=r'no service has this name; did you mean "basket"\?'):
        load(tmp_path, FOUR, services__baskets__url="http://127.0.0.1:9")


@pytest.mark.parametrize("name", ["prod", "sandbox"])
def test_kamiyo_has_two_services_and_two_workers(name: str) -> None:
    here = load_environment(name, SHIPPED, overrides={}, variables={}, dotenv=None)

    assert list(here.services) == ["api", "frontend", "aggregator", "social-watcher"]
    assert list(here.public) == ["api", "frontend"]
    assert runbook_of(here, SHIPPED.parent).services.name("social-watcher") == "kamiyo-social-watcher"


PATTERN = """
[[log_patterns]]
id = "up"
service = "{}"
sign = "good"
pattern = "up"
shows = "it is up"
"""


def runbook(folder: Path, *more: str) -> Path:
    path = folder / "runbook.toml"
    text = GOOD.replace("log_patterns = []\n", "") if any("log_patterns" in one for one in more) else GOOD
    path.write_text("\n".join([text, *more]), encoding="utf-8")
    return path


def test_a_runbook_may_name_any_service_that_the_environment_has(tmp_path: Path) -> None:
    found = load_runbook(
        runbook(tmp_path, 'services = ["basket", "web"]\n', PATTERN.format("nightly"), PATTERN_OF_ANY)
    )

    assert fitting(found, load(tmp_path, FOUR)) is found
    assert found.served_by == ("basket", "web")


PATTERN_OF_ANY = PATTERN.format("any").replace('id = "up"', 'id = "up-too"')


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            'services = ["bascket"]',
            'the item postdeploy.home names the service "bascket"; did you mean "basket"?',
        ),
        (
            PATTERN.format("nightli"),
            'the log pattern up names the service "nightli"; did you mean "nightly"?',
        ),
    ],
)
def test_a_service_that_the_environment_has_not_is_refused(tmp_path: Path, more: str, says: str) -> None:
    found = load_runbook(runbook(tmp_path, more))
    with pytest.raises(ConfigurationError) as refused:
        fitting(found, load(tmp_path, FOUR))
    assert says in str(refused.value)
    assert "the environment has: web, basket, mail-sender, nightly" in str(refused.value)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            'services = ["apy"]\n[services.names]\napi = "shop-api"',
            'services: no service is called "apy"; did you mean "api"? [services.names] has: api',
        ),
        (
            PATTERN.format("apy") + '[services.names]\napi = "shop-api"',
            'no service is called "apy"; did you mean "api"? there are: any, api',
        ),
        ('[services]\napi = "shop-api"', "services.api: has moved: write api in [services.names]"),
        (
            '[services.names]\nMail = "m"',
            "services.names.Mail: must be small letters, digits and hyphens, such as social-watcher",
        ),
    ],
)
def test_a_runbook_keeps_to_its_own_names(tmp_path: Path, more: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_runbook(runbook(tmp_path, more))
    assert says in str(refused.value)
