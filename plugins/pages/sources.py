"""The ledgers that pages are made from, and what hides the secrets of their environments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from plugins.configuration import available, load_environment
from plugins.ledger_address import ledger_of, ledger_url
from plugins.masking import Masker
from plugins.model.environment import Environment
from plugins.model.runbook import Runbook
from plugins.run import vocabulary
from plugins.runbook import load_runbook, runbook_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where pages come from.

    Attributes:
        common: the runbook of every environment that has no objectives of its own.
        own: those that have, by name.
        urls: of ledgers, each once.
        masker: knows the credentials of every environment that may be in them.
    """

    common: Runbook
    own: Mapping[str, Runbook]
    urls: tuple[str, ...]
    masker: Masker

    @classmethod
    def of(cls, root: Path, environment: str) -> Sources:
        """Those of an environment, or of all of them.

        Args:
            root: the project's folder.
            environment: its name; "" for every environment of the project, and the common ledger.

        Raises:
            ConfigurationError: an environment or the runbook is not right, or there is none of that name.
        """
        common = load_runbook(root / "runbook.toml")
        names = (environment,) if environment else available(root / "environments")
        environments = [_load(root, name) for name in names]
        urls = [] if environment else [ledger_of("", root)]
        urls += [ledger_url(one, root / "reports") for one in environments]
        masker = Masker({word for one in environments for word in vocabulary(common, one)})
        for one in environments:
            masker.learn(one)
        own = {one.name: runbook_of(one, root) for one in environments if one.slo_file}
        return cls(common, own, tuple(dict.fromkeys(urls)), masker)

    def runbook(self, environment: str) -> Runbook:
        """The one that its runs go by."""
        return self.own.get(environment, self.common)

    def masked(self, shape: TypeAdapter[T], data: T) -> T:
        """The same data without secrets."""
        return shape.validate_python(self.masker.data(shape.dump_python(data, mode="json", by_alias=True)))


def _load(root: Path, name: str) -> Environment:
    return load_environment(
        name, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
    )
