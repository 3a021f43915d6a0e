"""pydantic's reader and writer of a type, built when it is first needed."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

_BUILT: dict[object, TypeAdapter[Any]] = {}


def adapter(shape: type[T]) -> TypeAdapter[T]:
    """Return the adapter of a type: one for the whole process, as building one takes up to 50 ms."""
    if shape not in _BUILT:
        _BUILT[shape] = TypeAdapter(shape)
    return _BUILT[shape]
