"""`[places.NAME]`: the places from which `kamiyo-verify places run` verifies an environment."""

from __future__ import annotations

import re
from typing import Annotated, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from kamiyo_verify.model.tables import Table

PlaceName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
"""The name of a place, as `--place` takes it."""

_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9_][A-Za-z0-9._:%-]*")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def _destination(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(
            "must be a host of ssh: user@host, host, or a name of its config file; "
            "it begins with a letter or a digit, because a word that begins with - is an option"
        )
    return text


def _path(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("must be a path without control characters")
    if text.startswith(("-", "~")):
        raise ValueError(
            "must not begin with - or ~: a path that does not begin with / is relative to the home folder"
            " of the user there, or to this project of a local place"
        )
    return text


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be the NAME of a variable, never its value")
    return text


class PlaceSettings(Table):
    """One place: another machine that ssh reaches, or this one.

    Attributes:
        ssh: the host, as the system's ssh client takes it.
        ssh_config: a config file of ssh in place of the user's own; relative to the project's folder.
        local: whether the place is this machine.
        folder: the project's folder there; relative to the home folder of the user there, or to this project
            of a local place.
        python: the interpreter there that has kamiyo-verify; relative to the folder if it has a /. None for
            that of this command at a local place, and for `.venv/bin/python` at others.
        variables: names of variables that must be set there, in its process environment or its .env.
    """

    ssh: Annotated[str, AfterValidator(_destination)] | None = None
    ssh_config: Annotated[str, AfterValidator(_path)] | None = None
    local: bool = False
    folder: Annotated[str, AfterValidator(_path)] = "."
    python: Annotated[str, AfterValidator(_path)] | None = None
    variables: tuple[Annotated[str, AfterValidator(_variable)], ...] = ()

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.ssh is None) != self.local:
            raise ValueError('needs either ssh = "user@host" or local = true')
        if self.ssh is None and self.ssh_config is not None:
            raise ValueError("ssh_config is for a place with ssh: leave it out")
        if self.ssh is not None and "folder" not in self.model_fields_set:
            raise ValueError("folder is missing: the project's folder there, such as /srv/verify")
        return self
