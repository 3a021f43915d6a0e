"""From files, the command line and the process environment to a validated `Environment`. No pytest here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, SecretStr

from plugins.draft import ConfigurationError, Draft, shown
from plugins.mistakes import Loc, did_you_mean, table_within
from plugins.model.environment import Environment
from plugins.model.tables import Credential
from plugins.runbook import load_runbook

__all__ = ["ConfigurationError", "available", "load_environment", "load_runbook", "with_launched"]

Variables = Mapping[str, str | None]


class _Ready(BaseModel):
    """What a launched platform says of itself when it is ready."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, Any] = {}
    credentials: dict[str, SecretStr] = {}
    control_url: str = ""


def available(directory: Path) -> tuple[str, ...]:
    """The names of all environments: one for each TOML file, in alphabetical order."""
    return tuple(sorted(path.stem for path in directory.glob("*.toml")))


def load_environment(
    name: str,
    directory: Path,
    *,
    overrides: Mapping[str, str],
    variables: Mapping[str, str],
    dotenv: Path | None,
    launched: Mapping[str, object] | None = None,
) -> Environment:
    """One environment, validated, with the credentials that were found.

    Args:
        name: one of `available(directory)`, or the path of a file NAME.toml that lies elsewhere.
        directory: where the environments' files are.
        overrides: from the command line, by dotted keys such as "api.url"; they win over everything.
        variables: the process environment, first place to look for credentials. It is not changed.
        dotenv: a .env file, the second place; it need not exist.
        launched: the ready line of a launched platform; its credentials are the last place to look.

    Raises:
        ConfigurationError: with every mistake of the file. A missing credential is none.
    """
    path = _file(name, directory)
    draft = Draft.read(path)
    if draft.table.setdefault("name", path.stem) != path.stem:
        draft.refuse(("name",), f'must be "{path.stem}", as the file is called, or be left out')
    draft.place(overrides, source="command line")
    environment = _filled(_built(draft), variables, _dotenv(dotenv))
    return environment if launched is None else with_launched(environment, launched, but_not=overrides)


def with_launched(
    environment: Environment, ready: Mapping[str, object], *, but_not: Collection[str] = ()
) -> Environment:
    """The environment with what a launched platform says of itself.

    Its settings win over the file's. Its credentials fill only what is missing. Its control address joins
    those of the environment.

    Args:
        environment: as loaded.
        ready: the ready line: "settings" by dotted keys, "credentials" by variable names, "control_url".
        but_not: settings to leave as they are, such as those that the command line gave.

    Raises:
        ConfigurationError: the ready line does not fit the environment.
    """
    platform = Draft("the launched platform's ready line", dict(ready)).validated(_Ready)
    table = environment.dumped(lambda credential: credential.name)
    draft = Draft(f"the environment {environment.name} as launched", table)
    settings = {key: value for key, value in platform.settings.items() if key not in but_not}
    if platform.control_url:
        settings["control.urls"] = [*environment.control.urls, platform.control_url]
    draft.place(settings, source="ready line")
    found = {one.name: one.reveal() for one in environment.credentials.values() if one.present}
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
        f"there are: {', '.join(names)}. A new one is a new file there: copy staging.toml."
    )


def _built(draft: Draft) -> Environment:
    for table_name, key, several in _credential_keys():
        _name_credential(draft, table_name, key, several=several)
    for loc in _insecure(draft.table) if draft.table.get("production") is True else ():
        draft.refuse(loc, "must be https in production: over http anyone on the way can read and change it")
    return draft.validated(Environment)


def _credential_keys() -> Iterator[tuple[str, str, bool]]:
    """Table and key of each credential, and whether there can be several of them."""
    for table_name, table_field in Environment.model_fields.items():
        table = table_within(table_field.annotation)
        for key, field in table.model_fields.items() if table else ():
            if field.annotation in {Credential, tuple[Credential, ...]}:
                yield table_name, key, field.annotation is not Credential


def _name_credential(draft: Draft, table_name: str, key: str, *, several: bool) -> None:
    """Turn the name into a `Credential`. What is no name may be the secret itself: it is never repeated."""
    table = draft.table.get(table_name)
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
            (table_name, key),
            f"write {each} (capitals, digits and _, such as KAMIYO_API_KEY), never the "
            "secret itself; the value goes into the process environment or .env. If a secret stood here, "
            "replace it at its source: files are shared",
        )


def _is_name(written: str) -> bool:
    """Whether it can be a variable's name; a long run of capitals and digits is a key, not a name."""
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


def _dotenv(path: Path | None) -> Variables:
    if path is None or not path.is_file():
        return {}
    try:
        # Nothing is interpolated: a password may hold a $.
        return dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{shown(path)}: is not UTF-8 text; save it as UTF-8") from None


def _filled(environment: Environment, *sources: Variables) -> Environment:
    """The environment with each credential from the first source that has one that is not blank."""

    def found(credential: Credential) -> dict[str, object]:
        values = (source.get(credential.name) or "" for source in sources)
        value = next((value for value in values if value.strip()), None)
        if value is None:
            return {"name": credential.name, "value": credential.value}
        # A line end is what `$(cat file)` or a pasted line left behind, never part of a secret.
        return {"name": credential.name, "value": SecretStr(value.strip("\r\n"))}

    return Environment.model_validate(environment.dumped(found))
