"""The table [github] of an environment file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


class GitHub(Table):
    """The repository with code reviews: "owner/name".

    Attributes:
        status_context: the name of the commit status that a run sets; "" sets none.
        deployment_environment: the name, at GitHub, of the environment whose deployment gets a status; ""
            sets none.
    """

    address: BaseAddress = "https://api.github.com"
    token: Credential = Credential(name="GITHUB_TOKEN")
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    status_context: Annotated[str, Field(max_length=100)] = ""
    deployment_environment: Annotated[str, Field(max_length=255)] = ""
