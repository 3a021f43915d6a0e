"""The requests that the tier of the API key allows, and what a run needs of them; told before it starts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.hooks.background import tasks_of, tasks_that_sample
from kamiyo_verify.hooks.checklist import check_of
from kamiyo_verify.hooks.prerequisites import obstacle
from kamiyo_verify.model.figures import counted

API = "api"
"""The service whose requests the key's tier limits."""

REQUESTS_PER_CHECK = 2
"""What a check of the API sends on average: some send one, few more than three."""


def describe_allowance(environment: Environment, nodes: Sequence[pytest.Item]) -> str:
    """Return how long the allowance of the key makes a run, and what it leaves out; "" where it suffices.

    Args:
        environment: of the run.
        nodes: the selected tests.
    """
    tier = environment.api.tier
    if not tier.scarce:
        return ""
    sent, left_out = 0, dict[str, None]()
    for node in nodes:
        check = check_of(node)
        if check is None or (check.item.part is not None and check.item.part in environment.absent):
            continue
        if tasks_that_sample(tasks_of(node)) or (
            API in check.item.services and obstacle(check.item, (), "", environment)
        ):
            left_out[check.item.id] = None
        elif API in check.item.services:
            sent += REQUESTS_PER_CHECK
    minutes = math.ceil(max(sent - tier.per_minute, 0) / tier.per_minute)
    message = (
        f'allowance: a key of the tier "{tier}" may send {tier.per_minute} requests a minute and'
        f" {tier.per_hour} an hour; this run sends about {sent}"
        f" and waits about {counted(minutes, 'minute')} for them"
    )
    if sent > tier.per_hour:
        message += ", more than an hour allows: some items stay unverified"
    return message + (f"; it leaves out {', '.join(left_out)}" if left_out else "")


def seconds_for_pace(environment: Environment, services: Sequence[str]) -> float:
    """Return the seconds that one attempt at an item may wait for the allowance of a scarce tier."""
    tier = environment.api.tier
    return 60.0 if tier.scarce and API in services else 0.0
