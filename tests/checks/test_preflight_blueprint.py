"""render.yaml against what runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamiyo_verify.integrations.render.blueprint import blueprint_in, differences
from kamiyo_verify.integrations.render.shapes import Service
from kamiyo_verify.model.outcomes import NoAnswer, WrongAnswer
from sandbox.outside.render_services import blueprint

SPEC = """
services:
  - type: web
    name: kamiyo-api
    runtime: python
    plan: starter
    region: oregon
    startCommand: >-
      uvicorn api.main:app
      --port $PORT
    healthCheckPath: /health
    envVars: [{key: A, value: b}]
  - {type: worker, name: kamiyo-aggregator}
"""


def live(**details: object) -> Service:
    return Service.model_validate(
        {
            "id": "srv-1",
            "name": "kamiyo-api",
            "type": "web_service",
            "autoDeploy": "yes",
            "branch": "main",
            "ownerId": "tea-1",
            "dashboardUrl": "https://dashboard.render.com/web/srv-1",
            "suspended": "not_suspended",
            "serviceDetails": {
                "plan": "starter",
                "region": "oregon",
                "healthCheckPath": "/health",
                "envSpecificDetails": {"startCommand": "uvicorn api.main:app --port $PORT"},
                **details,
            },
        }
    )


def found(spec: Path, service: Service) -> tuple[str, ...]:
    return differences(blueprint_in(spec), {service.name: service})


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "render.yaml"
    path.write_text(SPEC)
    return path


def test_what_agrees_has_no_differences(spec: Path) -> None:
    assert found(spec, live()) == ()


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"plan": "standard"}, 'kamiyo-api: plan is "standard", render.yaml says "starter"'),
        ({"region": "frankfurt"}, "region"),
        ({"healthCheckPath": None}, "health check path is not set"),
        ({"envSpecificDetails": {"startCommand": "python main.py"}}, "start command"),
        ({"envSpecificDetails": None}, "start command is not set"),
    ],
)
def test_each_difference_is_told_with_both_sides(spec: Path, details: dict[str, object], told: str) -> None:
    [difference] = found(spec, live(**details))
    assert told in difference


def test_what_the_blueprint_leaves_open_is_not_compared(spec: Path) -> None:
    spec.write_text("services: [{type: web, name: kamiyo-api}]")
    assert found(spec, live(plan="pro_max")) == ()


def test_plans_and_types_are_compared_in_the_words_of_the_api(spec: Path) -> None:
    spec.write_text("services: [{type: web, runtime: static, name: kamiyo-api, plan: Pro Plus}]")
    assert found(spec, live(plan="pro_plus")) == (
        'kamiyo-api: type is "web_service", render.yaml says "static_site"',
    )


def test_a_service_that_the_blueprint_does_not_know_is_told(spec: Path) -> None:
    spec.write_text("services: [{type: web, name: other}]")
    assert found(spec, live()) == ("kamiyo-api runs, and is not in render.yaml",)


def test_the_sandboxs_own_blueprint_can_be_read(spec: Path) -> None:
    spec.write_text(blueprint())
    assert {service.name for service in blueprint_in(spec)} >= {"kamiyo-api", "kamiyo-frontend"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "services: []",
        "services: 3",
        "services: [{name: x}]",
        "a: &a [x]\nservices: [*a]",
        "services: !!python/object/apply:os.system [true]",
        "services: [",
        "[" * 5_000,
        "services: [{type: web, name: x}]\n#" + "x" * 300_000,
    ],
    ids=["empty", "none", "number", "incomplete", "alias", "object", "cut", "deep", "large"],
)
def test_what_is_no_blueprint_is_a_wrong_answer(spec: Path, text: str) -> None:
    spec.write_text(text)
    with pytest.raises(WrongAnswer, match=r"render\.yaml"):
        blueprint_in(spec)


def test_bytes_that_are_no_text_are_a_wrong_answer(spec: Path) -> None:
    spec.write_bytes(b"\xff\xfe\x00services")
    with pytest.raises(WrongAnswer):
        blueprint_in(spec)


def test_a_blueprint_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="cannot be read"):
        blueprint_in(tmp_path / "render.yaml")


@pytest.mark.parametrize(
    ("written", "live_trigger", "told"),
    [
        ("checksPass", "checksPass", ()),
        ("off", "off", ()),
        ("commit", "off", ('kamiyo-api: auto-deploy is "off", render.yaml says "commit"',)),
        ("commit", "", ()),
    ],
)
def test_auto_deploy_is_compared_where_render_tells_it(
    tmp_path: Path, written: str, live_trigger: str, told: tuple[str, ...]
) -> None:
    path = tmp_path / "render.yaml"
    path.write_text(f"services: [{{type: web, name: kamiyo-api, autoDeployTrigger: {written}}}]")
    assert found(path, live().model_copy(update={"auto_deploy_trigger": live_trigger})) == told
