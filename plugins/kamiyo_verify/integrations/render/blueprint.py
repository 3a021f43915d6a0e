"""Compare render.yaml, Render's blueprint, with the live services.

Source: render.com/docs/blueprint-spec. Render does not change settings that a blueprint leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kamiyo_verify.integrations.render.shapes import Service
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer
from kamiyo_verify.model.writing.text import cut

MOST_BYTES = 256 * 1024

_TYPES = {
    "web": "web_service",
    "pserv": "private_service",
    "worker": "background_worker",
    "cron": "cron_job",
    "static": "static_site",
}


def _off(told: object) -> object:
    """YAML 1.1 reads a plain `off` as false."""
    return "off" if told is False else told


class BlueprintService(BaseModel):
    """One service in the blueprint; None for settings that it leaves out."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)

    name: str
    type: str
    runtime: str | None = None
    plan: str | None = None
    region: str | None = None
    branch: str | None = None
    auto_deploy_trigger: Annotated[str | None, BeforeValidator(_off)] = Field(
        alias="autoDeployTrigger", default=None
    )
    health_check_path: str | None = Field(alias="healthCheckPath", default=None)
    build_command: str | None = Field(alias="buildCommand", default=None)
    start_command: str | None = Field(alias="startCommand", default=None)

    def differences(self, live: Service) -> tuple[str, ...]:
        """Settings that differ, as "kamiyo-api: plan is standard, render.yaml says starter"."""
        details = live.service_details
        commands = details.env_specific_details
        pairs: dict[str, tuple[str | None, str | None]] = {
            "type": (self._live_type, live.type),
            "plan": (_plan(self.plan), _plan(details.plan)),
            "region": (self.region, details.region),
            "branch": (self.branch, live.branch),
            "auto-deploy": (self.auto_deploy_trigger if live.trigger else None, live.trigger),
            "health check path": (self.health_check_path, details.health_check_path),
            "build command": (self.build_command, commands.build_command),
            "start command": (self.start_command, commands.start_command),
        }
        return tuple(
            f"{self.name}: {what} is {_shown(found)}, render.yaml says {_shown(wanted)}"
            for what, (wanted, found) in pairs.items()
            if wanted is not None and _plain(wanted) != _plain(found)
        )

    @property
    def _live_type(self) -> str:
        """The API's name of the type; there a static site is a web service of the runtime "static"."""
        return "static_site" if self.runtime == "static" else _TYPES.get(self.type, self.type)


class _Blueprint(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    services: tuple[BlueprintService, ...] = Field(min_length=1)


class _Loader(yaml.SafeLoader):
    """Safe, and without aliases: a few lines of them can expand to gigabytes, and Render accepts none."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it holds an alias (*name)")
        return super().compose_node(parent, index)


def blueprint_in(path: Path) -> tuple[BlueprintService, ...]:
    """The services of a blueprint.

    Raises:
        NoAnswer: it cannot be read.
        WrongAnswer: it is not a blueprint, or larger than 256 KiB.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NoAnswer(NoAnswerKind.UNUSABLE, f"{path.name} cannot be read: {error.strerror}") from error
    if len(raw) > MOST_BYTES:
        raise WrongAnswer(f"{path.name} is larger than {MOST_BYTES // 1024} KiB")
    try:
        # The loader is a SafeLoader.
        return _Blueprint.model_validate(yaml.load(raw.decode("utf-8-sig"), _Loader)).services  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise WrongAnswer(f"{path.name} is no blueprint: {_describe(error)}") from None


def differences(planned: Iterable[BlueprintService], live: Mapping[str, Service]) -> tuple[str, ...]:
    """Differences between the live services and the blueprint.

    Args:
        planned: the blueprint's services.
        live: the live services, by name.
    """
    by_name = {service.name: service for service in planned}
    found = [f"{name} runs, and is not in render.yaml" for name in live if name not in by_name]
    for name, service in live.items():
        found += by_name[name].differences(service) if name in by_name else ()
    return tuple(found)


def _plain(text: str | None) -> str:
    """The text without the white space that YAML may fold."""
    return " ".join((text or "").split())


def _plan(text: str | None) -> str | None:
    """The API's form of a plan: "pro_plus" where a blueprint says "pro plus"."""
    return None if text is None else text.lower().replace(" ", "_")


def _shown(text: str | None) -> str:
    plain = _plain(text)
    return f'"{cut(plain, 100)}"' if plain else "not set"


def _describe(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(step) for step in first['loc']) or 'the whole'}: {first['msg']}"
    return cut(" ".join(str(error).split()), 200) or "it is nested too deep"
