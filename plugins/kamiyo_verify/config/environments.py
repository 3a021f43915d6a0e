"""Load a validated `Environment` from files, the command line and environment variables, without pytest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from kamiyo_verify.config.dotenv_file import Variables, read_dotenv
from kamiyo_verify.config.draft import ConfigurationError, Draft, shown
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.mistakes import Loc, did_you_mean, table_within
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.config.service_names import (
    refuse_moved_environment_keys,
    refuse_unknown_services,
    services_fit,
)
from kamiyo_verify.model.tables import Credential

__all__ = [
    "ConfigurationError",
    "available",
    "default_environment",
    "load_environment",
    "load_runbook",
    "with_launched",
]


class _Ready(BaseModel):
    """The ready line of a launched platform."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    settings: dict[str, Any] = {}
    credentials: dict[str, SecretStr] = {}
    control_url: str = ""


def available(directory: Path) -> tuple[str, ...]:
    """Return the names of all environments, one for each TOML file, in alphabetical order."""
    return tuple(sorted(path.stem for path in directory.glob("*.toml")))


def default_environment(directory: Path) -> str:
    """Return the environment of a command without --env: the sandbox where there is one, else the only one.

    Raises:
        ConfigurationError: there are several, or none.
    """
    names = available(directory)
    if "sandbox" in names or len(names) == 1:
        return "sandbox" if "sandbox" in names else names[0]
    if not names:
        raise ConfigurationError(f"{shown(directory)}: has no environment; each is a file NAME.toml there")
    raise ConfigurationError(f"--env is missing: it names one of {', '.join(names)}")


def load_environment(
    name: str,
    directory: Path,
    *,
    overrides: Mapping[str, str],
    variables: Mapping[str, str],
    dotenv: Path | None,
    launched: Mapping[str, object] | None = None,
) -> Environment:
    """Load and validate an environment, with its credentials.

    Args:
        name: one of `available(directory)`, or the path of a file NAME.toml elsewhere.
        directory: the folder of the environment files.
        overrides: command-line values by dotted keys such as "services.api.url"; they have top priority.
        variables: environment variables, the first source of credentials. They are not changed.
        dotenv: a .env file, the second source; it need not exist.
        launched: the ready line of a launched platform, the last source of credentials.

    Raises:
        ConfigurationError: the file has mistakes; the message lists all. A missing credential is not one.
    """
    path = _file(name, directory)
    draft = Draft.read(path)
    if draft.table.setdefault("name", path.stem) != path.stem:
        draft.refuse(("name",), f'must be "{path.stem}", as the file is called, or be left out')
    draft.table.setdefault("title", directory.resolve().parent.name or "the platform")
    refuse_unknown_services(draft, overrides)
    draft.place(overrides, source="command line")
    environment = _filled(_built(draft), variables, read_dotenv(dotenv))
    return environment if launched is None else with_launched(environment, launched, but_not=overrides)


def with_launched(
    environment: Environment, ready: Mapping[str, object], *, but_not: Collection[str] = ()
) -> Environment:
    """Return the environment with the settings and credentials of a launched platform.

    The platform's settings override the file's. Its credentials fill only missing ones. Its control address
    is added to those of the environment.

    Args:
        environment: the loaded environment.
        ready: the ready line: "settings" by dotted keys, "credentials" by variable names, "control_url".
        but_not: settings to keep, such as those from the command line.

    Raises:
        ConfigurationError: the ready line is not valid for the environment.
    """
    platform = Draft("the launched platform's ready line", dict(ready)).validated(_Ready)
    table = environment.dumped(lambda credential: credential.name)
    draft = Draft(f"the environment {environment.name} as launched", table)
    settings = {key: value for key, value in platform.settings.items() if key not in but_not}
    if platform.control_url:
        settings["control.urls"] = [*environment.control.urls, platform.control_url]
    draft.place(settings, source="ready line")
    found = {one.name: one.reveal() for one in environment.secrets.values() if one.present}
    given = {name: value.get_secret_value() for name, value in platform.credentials.items()}
    return _filled(_built(draft), found, given)


def _file(name: str, directory: Path) -> Path:
    if name.endswith(".toml"):
        if (path := Path(name)).is_file():
            return path
        raise ConfigurationError(f"{shown(path)}: there is no such file")
    names = available(directory)
    if name in names:
        return directory / f"{name}.toml"
    if not names:
        raise ConfigurationError(f"{shown(directory)}: has no environment; each is a file NAME.toml there")
    raise ConfigurationError(
        f'{shown(directory)}: has no environment "{name}"{did_you_mean(name, names) or ";"} '
        f"there are: {', '.join(names)}. A new one is a new file there, such as a copy of {names[-1]}.toml."
    )


def _built(draft: Draft) -> Environment:
    refuse_moved_environment_keys(draft)
    for table_name, key, several in _credential_keys():
        _name_credential(draft, (table_name,), key, several=several)
    declared = draft.table.get("credentials")
    for name in declared if isinstance(declared, dict) else ():
        _name_credential(draft, ("credentials", name), "variable", several=False)
    for loc in _insecure(draft.table) if draft.table.get("production") is True else ():
        draft.refuse(loc, "must be https in production: over http anyone on the way can read and change it")
    return draft.validated(Environment, rules=services_fit)


def _credential_keys() -> Iterator[tuple[str, str, bool]]:
    """Yield table and key of each credential, and whether it is a list."""
    for table_name, table_field in Environment.model_fields.items():
        table = table_within(table_field.annotation)
        for key, field in table.model_fields.items() if table else ():
            if field.annotation in {Credential, tuple[Credential, ...]}:
                yield table_name, key, field.annotation is not Credential


def _name_credential(draft: Draft, path: tuple[str, ...], key: str, *, several: bool) -> None:
    """Replace a variable's name with a `Credential`; never repeat an invalid name, which may be a secret."""
    table: object = draft.table
    for step in path:
        table = table.get(step) if isinstance(table, dict) else None
    if not isinstance(table, dict) or key not in table:
        return
    written = table.pop(key)
    names = written if several and isinstance(written, list) else [written]
    right = isinstance(written, list) == several and len(set(map(str, names))) == len(names)
    if right and all(isinstance(name, str) and _is_name(name) for name in names):
        named = [{"name": name} for name in names]
        table[key] = named if several else named[0]
    else:
        each = (
            "a list of the NAMES of variables here, each once" if several else "the NAME of the variable here"
        )
        draft.refuse(
            (*path, key),
            f"write {each} (capitals, digits and _, such as KAMIYO_API_KEY), never the "
            "secret itself; the value goes into the process environment or .env. If a secret stood here, "
            "replace it at its source: files are shared",
        )


def _is_name(written: str) -> bool:
    """Return whether the text can be a variable's name; a long run of capitals and digits is a secret."""
    return bool(re.fullmatch(r"[A-Z][A-Z0-9_]*", written)) and not re.fullmatch(
        r"(?=.*\d)[A-Z0-9]{16,}", written
    )


def _insecure(value: object, loc: Loc = ()) -> Iterator[Loc]:
    match value:
        case str() if value.lower().startswith("http://"):
            yield loc
        case dict():
            for key, inner in value.items():
                yield from _insecure(inner, (*loc, key))
        case list():
            for number, inner in enumerate(value):
                yield from _insecure(inner, (*loc, number))


def _filled(environment: Environment, *sources: Variables) -> Environment:
    """Return the environment with each credential from the first source with a non-blank value."""

    def found(credential: Credential) -> dict[str, object]:
        values = (source.get(credential.name) or "" for source in sources)
        value = next((value for value in values if value.strip()), None)
        if value is None:
            return {"name": credential.name, "value": credential.value}
        # A line end comes from `$(cat file)` or a pasted line; it is never part of a secret.
        return {"name": credential.name, "value": SecretStr(value.strip("\r\n"))}

    return Environment.model_validate(environment.dumped(found))
