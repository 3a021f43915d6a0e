"""The table [pagerduty] of an environment file."""

from __future__ import annotations

from pydantic import Field

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


class PagerDuty(Table):
    """The PagerDuty account and the schedules that show who is on call."""

    address: BaseAddress = "https://api.pagerduty.com"
    token: Credential = Credential(name="PAGERDUTY_TOKEN")
    schedules: tuple[str, ...] = Field(min_length=1)
