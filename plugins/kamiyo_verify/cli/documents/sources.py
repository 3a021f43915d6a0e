"""Sources of pages: the ledgers, the runbooks, and a masker for the environments' secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import available, load_environment
from kamiyo_verify.config.ledger_address import distinct, ledger_of, ledger_url
from kamiyo_verify.config.runbook import load_runbook, runbook_of
from kamiyo_verify.hooks.run import vocabulary
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.runbook import Runbook

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of pages.

    Attributes:
        common: the runbook of every environment without its own objectives.
        own: the runbooks of environments with their own objectives, by name.
        urls: the URLs of the ledgers, without duplicates.
        masker: masks the credentials of every environment that the ledgers may contain.
    """

    common: Runbook
    own: Mapping[str, Runbook]
    urls: tuple[str, ...]
    masker: Masker

    @classmethod
    def of(cls, root: Path, environment: str) -> Sources:
        """Load the sources of one environment, or of all.

        Args:
            root: the project's folder.
            environment: the name; "" for every environment of the project, and the common ledger.

        Raises:
            ConfigurationError: an environment or the runbook is not valid, or the name is unknown.
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
        return cls(common, own, distinct(urls), masker)

    def runbook(self, environment: str) -> Runbook:
        """Return the runbook that this environment's runs use."""
        return self.own.get(environment, self.common)

    def masked(self, shape: TypeAdapter[T], data: T) -> T:
        """Return the same data without secrets."""
        return shape.validate_python(self.masker.data(shape.dump_python(data, mode="json", by_alias=True)))


def _load(root: Path, name: str) -> Environment:
    return load_environment(
        name, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
    )
