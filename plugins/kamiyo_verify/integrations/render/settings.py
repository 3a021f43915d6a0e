"""The table [render] of an environment file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


class Render(Table):
    """Render, the host; each service's own id is in `[services.NAME] hosting_id`.

    Attributes:
        builds_kept: how many builds the workspace's plan keeps for rollbacks, as
            https://render.com/docs/rollbacks tells; the API does not. 0 if it is not known.
    """

    address: BaseAddress = "https://api.render.com/v1"
    key: Credential = Credential(name="RENDER_API_KEY")
    owner: Annotated[str, Field(pattern=r"^(tea|usr)-\w+$")]
    postgres: Annotated[str, Field(pattern=r"^(dpg-[\w-]+)?$")] = ""
    deploy_timeout_s: float = Field(default=2400, gt=0, le=7200)
    poll_s: float = Field(default=5, gt=0, le=60)
    builds_kept: int = Field(default=0, ge=0)
    log_errors_per_minute: float = Field(default=1.0, ge=0)

    @property
    def title(self) -> str:
        """The host's name in messages."""
        return "Render"

    @property
    def credential(self) -> str:
        """The variable of the credential."""
        return self.key.name

    @property
    def has_credential(self) -> bool:
        """Whether the key is there."""
        return self.key.present
