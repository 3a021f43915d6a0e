"""Reasons other than the mark expression that exclude tests: options, paths, settings, broken files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

_OTHERWISE = "a setting, such as python_files or collect_ignore, or another plugin left it out"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The reasons that exclude tests from a run, other than the mark expression.

    Attributes:
        of_collection: reasons why files or tests are not collected, a few words each.
        of_selection: reasons why collected tests are deselected.
        variants: command-line arguments that name one variant of a parametrized test.
    """

    of_collection: tuple[str, ...] = ()
    of_selection: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()

    @property
    def collection_reasons(self) -> str:
        """Every possible reason why an item was not collected, as text."""
        return ", ".join(self.of_collection) or _OTHERWISE

    @property
    def selection_reasons(self) -> str:
        """Every possible reason why an item was deselected after collection, as text."""
        return ", ".join((*self.of_selection, *self.of_collection)) or _OTHERWISE

    def names_one_variant(self, nodes: Iterable[pytest.Item]) -> bool:
        """Return whether an argument names only one variant, so the function's other variants are unknown."""
        names = {variant.partition("[")[0].partition("::")[2] for variant in self.variants}
        return any(node.nodeid.partition("[")[0].partition("::")[2] in names for node in nodes)


def narrowing_of(config: pytest.Config, paths: Sequence[str], broken: Iterable[str]) -> Narrowing:
    """Return what this command line and this collection exclude.

    Args:
        config: holds pytest's options.
        paths: arguments that name less than a whole phase.
        broken: files that could not be collected, each with the reason.
    """
    option = config.option
    ignored = [f"--ignore={path}" for path in option.ignore or ()]
    globbed = [f"--ignore-glob={pattern}" for pattern in option.ignore_glob or ()]
    deselected = [f"--deselect={prefix}" for prefix in option.deselect or ()]
    again = ["--lf"] if getattr(option, "lf", False) else []
    stepwise = ["--sw"] if getattr(option, "stepwise", False) else []
    keywords = [f"-k {option.keyword!r}"] if option.keyword else []
    return Narrowing(
        of_collection=(*broken, *(f"only {path}" for path in paths), *ignored, *globbed, *again),
        of_selection=(*keywords, *deselected, *stepwise),
        variants=tuple(path for path in paths if "[" in path.partition("::")[2]),
    )
