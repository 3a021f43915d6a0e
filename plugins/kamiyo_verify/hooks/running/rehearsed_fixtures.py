"""The fixtures of a check in a rehearsal: made by hand, so that nothing changes what pytest set up."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from kamiyo_verify.http.overlap.ahead import NotInRehearsal


class RehearsedFixtures:
    """The values of the fixtures of one check.

    A fixture of the session must have been set up by an earlier check: rehearsals set nothing up that other
    checks use. A fixture of the check is called anew, if it has nothing to tear down.

    Args:
        node: the test.
    """

    def __init__(self, node: pytest.Function) -> None:
        self._node = node
        self._made: dict[str, Any] = {"request": _Request(self, node)}
        self._making: set[str] = set()
        if callspec := getattr(node, "callspec", None):
            self._made |= callspec.params

    def ready(self) -> bool:
        """Return whether all that the check names, directly or indirectly, can be made now."""
        return all(self._possible(name) for name in self._node.fixturenames)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the check's function."""
        return {name: self.value(name) for name in self._node._fixtureinfo.argnames}

    def value(self, name: str) -> Any:
        """Return the value of a fixture.

        Raises:
            NotInRehearsal: it can be made in the check's own turn only.
        """
        if name in self._made:
            return self._made[name]
        definition = self._definition(name)
        if definition is None or name in self._making:  # a fixture that overrides another one asks for it
            raise NotInRehearsal
        if definition.scope != "function":
            cached = definition.cached_result
            if cached is None or cached[2] is not None:
                raise NotInRehearsal
            value = cached[0]
        else:
            if inspect.isgeneratorfunction(definition.func):
                raise NotInRehearsal
            self._making.add(name)
            value = definition.func(**{wanted: self.value(wanted) for wanted in definition.argnames})
        self._made[name] = value
        return value

    def _possible(self, name: str) -> bool:
        if name in self._made:
            return True
        definition = self._definition(name)
        if definition is None:
            return False
        if definition.scope == "function":
            return not inspect.isgeneratorfunction(definition.func)
        return definition.cached_result is not None and definition.cached_result[2] is None

    def _definition(self, name: str) -> pytest.FixtureDef[Any] | None:
        definitions = self._node._fixtureinfo.name2fixturedefs.get(name)
        if definitions is None:
            definitions = self._node.session._fixturemanager.getfixturedefs(name, self._node)
        return definitions[-1] if definitions else None


class _Request:
    """What a fixture may ask of pytest in a rehearsal; its notes on the test are its own."""

    def __init__(self, fixtures: RehearsedFixtures, node: pytest.Function) -> None:
        self._fixtures = fixtures
        self.config = node.config
        self.node = _Node()

    def getfixturevalue(self, name: str) -> Any:
        """Return the value of a fixture."""
        return self._fixtures.value(name)


class _Node:
    def __init__(self) -> None:
        self.stash = pytest.Stash()
