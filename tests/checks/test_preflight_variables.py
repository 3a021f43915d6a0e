"""The rules for the variables of the services: each breaks on what it exists for, and quotes no value."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from kamiyo_platform.values import (
    address_problem,
    database_address,
    is_placeholder,
    secret_problem,
)
from kamiyo_platform.variables import VariableRules
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.model.hosting.data import Variables

PUBLIC, API = "https://kamiyo.example.net", "https://api.kamiyo.example.net"
SECRET = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"
WEBHOOK = "whsec_5f1d7a84db00d2fce00b31a7fc73224f"
DATABASE = "postgresql://kamiyo:c4fe5c0d7a1b@dpg-abc123-a:5432/kamiyo_prod"

API_VALUES = {
    "DATABASE_URL": DATABASE,
    "ENVIRONMENT": "production",
    "ALLOWED_ORIGINS": f"{PUBLIC},https://www.kamiyo.example.net,{API}",
    "ADMIN_API_KEY": SECRET[:20],
    "JWT_SECRET": SECRET,
    "STRIPE_SECRET_KEY": "sk_live_51HqLyjWDarjtT1",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_51HqLyjWDarjtT1",
    "STRIPE_WEBHOOK_SECRET": WEBHOOK,
    "SENTRY_DSN": "https://0123@o1.ingest.sentry.io/1",
    "REDIS_URL": "redis://red-1:6379",
}
FRONTEND_VALUES = {
    "DATABASE_URL": DATABASE,
    "NEXTAUTH_URL": PUBLIC,
    "NEXTAUTH_SECRET": SECRET,
    "GOOGLE_CLIENT_ID": "1234-abcd.apps.googleusercontent.com",
    "GOOGLE_CLIENT_SECRET": "GOCSPX-9f86d081884c7d659a2f",
    "STRIPE_SECRET_KEY": "sk_live_51HqLyjWDarjtT1",
    "STRIPE_WEBHOOK_SECRET": WEBHOOK,
    "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY": "pk_live_51HqLyjWDarjtT1",
    "NEXT_PUBLIC_API_URL": API,
    "NEXT_PUBLIC_API_ENDPOINT": f"{API}/v1",
    "NODE_VERSION": "20.18.0",
    "PORT": "3000",
    "NODE_ENV": "production",
    "NEXT_PUBLIC_SENTRY_DSN": "https://0123@o1.ingest.sentry.io/1",
}


def environment(**more: object) -> Environment:
    return Environment.model_validate(
        {
            "name": "prod",
            "production": True,
            "services": {"api": {"url": API}, "frontend": {"url": PUBLIC}},
            "api": {"origins": [PUBLIC, "https://www.kamiyo.example.net"]},
            **more,
        }
    )


def rules(
    api: dict[str, str] | None = None, frontend: dict[str, str] | None = None, **more: object
) -> VariableRules:
    """The rules over healthy variables with these changed; "" takes one away."""

    def variables(healthy: dict[str, str], changed: dict[str, str] | None) -> Variables:
        values = {name: text for name, text in (healthy | (changed or {})).items() if text}
        return Variables({name: SecretStr(text) for name, text in values.items()})

    services = {"api": variables(API_VALUES, api), "frontend": variables(FRONTEND_VALUES, frontend)}
    return VariableRules(services, environment(**more))


def all_problems(found: VariableRules) -> list[str]:
    own = (database_address(DATABASE),)
    return [
        *found.missing(),
        *found.malformed(),
        *found.origin_problems(),
        *found.nextauth_secret_problems(),
        *found.nextauth_url_problems(),
        *found.webhook_secret_problems(),
        *found.key_mode_problems(),
        *found.database_problems(own),
    ]


def test_healthy_variables_have_no_problems() -> None:
    assert all_problems(rules()) == []
    assert rules().warnings() == ()


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("api", "JWT_SECRET"),
        ("api", "DATABASE_URL"),
        ("frontend", "GOOGLE_CLIENT_SECRET"),
        ("frontend", "PORT"),
    ],
)
@pytest.mark.parametrize("blank", ["", " "])
def test_a_missing_variable_is_named_with_its_service(service: str, name: str, blank: str) -> None:
    found = rules(**{service: {name: blank}})
    assert found.missing() == (f"{name} on {service}",)


def test_what_the_platform_does_not_have_is_not_asked_for() -> None:
    found = rules(absent=["payments", "sign-in"])
    names = {name for _, name in found.required()}
    assert not any("STRIPE" in name or "NEXTAUTH" in name or "GOOGLE" in name for name in names)
    assert "JWT_SECRET" in names


@pytest.mark.parametrize(
    ("service", "name", "text", "told"),
    [
        ("api", "JWT_SECRET", "short-but-no-example", "20 characters, fewer than 32"),
        ("api", "JWT_SECRET", "your-secret-key-here-change-in-production", "placeholder"),
        ("api", "JWT_SECRET", "abababababababababababababababababab", "placeholder"),
        ("api", "JWT_SECRET", "abcabcabcabcabcabcabcabcabcabcabcabc", "too few different"),
        ("api", "ENVIRONMENT", "staging", '"production"'),
        ("api", "ADMIN_API_KEY", "hunter2", "16 characters"),
        ("api", "STRIPE_SECRET_KEY", "pk_live_51HqLyjWDarjtT1", "sk_live_"),
        ("frontend", "PORT", "${PORT}", "placeholder"),
        ("frontend", "PORT", "http", "a port"),
        ("frontend", "NODE_VERSION", "latest", "a version"),
        ("frontend", "GOOGLE_CLIENT_ID", "1234", "Google client id"),
        ("frontend", "NEXT_PUBLIC_API_URL", "https://elsewhere.example.net", "no address of the API"),
        ("frontend", "NEXT_PUBLIC_API_URL", f"{API}.evil.example.net", "no address of the API"),
        ("frontend", "NEXT_PUBLIC_API_URL", f"{API}/", "ends in a slash"),
        ("frontend", "GOOGLE_CLIENT_SECRET", '"GOCSPX-9f86d081884c"', "quotes"),
        ("frontend", "GOOGLE_CLIENT_SECRET", "GOCSPX-9f86d081884c\n", "spaces"),
    ],
)
def test_a_malformed_variable_is_told_and_not_quoted(service: str, name: str, text: str, told: str) -> None:
    [problem] = rules(**{service: {name: text}}).malformed()
    assert problem.startswith(f"{name} on {service} ")
    assert told in problem
    assert text.strip() not in problem


def test_a_value_that_two_groups_contest_is_malformed() -> None:
    services = {
        "api": Variables(
            {name: SecretStr(text) for name, text in API_VALUES.items()}, frozenset({"JWT_SECRET"})
        ),
        "frontend": Variables({name: SecretStr(text) for name, text in FRONTEND_VALUES.items()}),
    }
    [problem] = VariableRules(services, environment()).malformed()
    assert "JWT_SECRET on api has two values" in problem


@pytest.mark.parametrize(
    ("origins", "told"),
    [
        (API_VALUES["ALLOWED_ORIGINS"].replace("https://www", "http://www"), "is http"),
        (API_VALUES["ALLOWED_ORIGINS"].replace(",", ", "), "has a space"),
        (API_VALUES["ALLOWED_ORIGINS"] + "/", "ends in a slash"),
        (API_VALUES["ALLOWED_ORIGINS"] + ",*", "has a *"),
        (API_VALUES["ALLOWED_ORIGINS"] + ",", "no address"),
        (API, f"{PUBLIC} is not in"),
        ("", "is not set"),
    ],
)
def test_origins_that_browsers_or_we_would_miss_are_told(origins: str, told: str) -> None:
    assert any(told in problem for problem in rules(api={"ALLOWED_ORIGINS": origins}).origin_problems())


def test_on_this_machine_http_is_an_origin_outside_production() -> None:
    assert address_problem("http://127.0.0.1:3000", production=False) == ""
    assert address_problem("http://127.0.0.1:3000", production=True) == "is http, not https"
    assert address_problem("http://kamiyo.example.net", production=False) == "is http, not https"


@pytest.mark.parametrize(
    ("secret", "told"),
    [("", "is not set"), ("9f86d081884c7d65", "16 characters"), ("changeme" * 5, "is a placeholder")],
)
def test_a_weak_nextauth_secret_is_told(secret: str, told: str) -> None:
    [problem] = rules(frontend={"NEXTAUTH_SECRET": secret}).nextauth_secret_problems()
    assert told in problem


@pytest.mark.parametrize(
    "url",
    ["", f"{PUBLIC}/", PUBLIC.replace("https", "http"), "https://www.kamiyo.example.net", PUBLIC.upper()],
)
def test_nextauth_needs_the_public_address_to_the_letter(url: str) -> None:
    assert len(rules(frontend={"NEXTAUTH_URL": url}).nextauth_url_problems()) == 1


def test_the_webhook_secret_must_be_one_and_the_same() -> None:
    other = "whsec_00000111112222233333444445555566"
    assert "differs" in rules(frontend={"STRIPE_WEBHOOK_SECRET": other}).webhook_secret_problems()[0]
    problems = rules(api={"STRIPE_WEBHOOK_SECRET": SECRET}).webhook_secret_problems()
    assert problems[0] == "STRIPE_WEBHOOK_SECRET on api is not of the form whsec_…"
    ours = {"webhook_secret": {"name": "STRIPE_WEBHOOK_SECRET", "value": other}}
    assert "gives to this suite" in rules(payments=ours).webhook_secret_problems()[0]


def test_keys_must_be_of_the_mode_of_the_environment() -> None:
    test_key = {"STRIPE_SECRET_KEY": "sk_test_51HqLyjWDarjtT1"}
    assert rules(api=test_key).key_mode_problems() == ("STRIPE_SECRET_KEY on api is no live key",)
    everywhere = rules(production=False).key_mode_problems()
    assert len(everywhere) == 4
    assert all(problem.endswith("no test key") for problem in everywhere)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (DATABASE.replace("dpg-abc123-a", "dpg-other-a"), "another server"),
        (DATABASE.replace("5432", "5433"), "another port"),
        (DATABASE.replace("kamiyo_prod", "kamiyo_old"), "another name"),
        (DATABASE.replace("//kamiyo:", "//root:"), "another user"),
        (DATABASE.replace("c4fe5c0d7a1b", "hunter2"), "another password"),
        ("mysql://a:b@host/name", "postgresql://"),
        ("postgresql://kamiyo@dpg-abc123-a/kamiyo_prod", "no password"),
        ("postgresql://kamiyo:x@dpg-abc123-a", "no database name"),
        ("postgresql://kamiyo:x@host:port/name", "no address"),
        ("", "is not set"),
    ],
)
def test_another_database_is_told_by_what_differs(url: str, told: str) -> None:
    own = (database_address(DATABASE),)
    [problem] = rules(frontend={"DATABASE_URL": url}).database_problems(own)
    assert problem.startswith("DATABASE_URL on frontend ")
    assert told in problem
    assert "hunter2" not in problem


def test_without_renders_word_both_services_must_agree() -> None:
    other = {"DATABASE_URL": DATABASE.replace("kamiyo_prod", "kamiyo_old")}
    assert rules().database_problems(()) == ()
    assert rules(frontend=other).database_problems(()) == ("DATABASE_URL differs between api and frontend",)


def test_optional_variables_and_debugging_are_warnings_only() -> None:
    found = rules(api={"REDIS_URL": "", "LOG_LEVEL": "debug"})
    assert found.warnings() == ("REDIS_URL on api is not set", "LOG_LEVEL on api is DEBUG")
    assert all_problems(found) == []


def test_no_rule_quotes_a_value() -> None:
    canary = "canary0123456789"
    spoilt = {name: f"{canary} {text}" for name, text in (API_VALUES | FRONTEND_VALUES).items()}
    found = rules(api=spoilt, frontend=spoilt)
    assert all_problems(found)
    told = " ".join([*all_problems(found), *found.warnings(), repr(found), str(database_address(DATABASE))])
    assert canary not in told
    assert "c4fe5c0d7a1b" not in told


@pytest.mark.parametrize("text", [SECRET, "kQ8vT2rWzP5mN1xL7cJ4hB9gF6dS3aYe", "0" * 16 + SECRET])
def test_what_a_generator_gives_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)
    assert secret_problem(text + SECRET) == ""
