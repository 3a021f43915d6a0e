"""What the judge works on is not changed by it."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from functools import cached_property

import pytest

import kamiyo_verify.judge

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(kamiyo_verify.judge.__path__, f"{kamiyo_verify.judge.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_a_dataclass_has_slots_and_is_frozen_unless_it_collects(name: str) -> None:
    for one in vars(importlib.import_module(name)).values():
        if isinstance(one, type) and one.__module__ == name and dataclasses.is_dataclass(one):
            caches = any(isinstance(member, cached_property) for member in vars(one).values())
            collects = any("list[" in str(field.type) for field in dataclasses.fields(one))
            assert caches or "__slots__" in vars(one), f"{one} has no slots"
            assert collects or vars(one)["__dataclass_params__"].frozen, f"{one} can change"
