"""Of a drawing, its shapes and its words; everything else that an SVG can hold is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from markupsafe import Markup

from plugins.writers.inert import one_line

TEXT = 40
"""Characters of one word or number beside a drawing."""

# What may stay of a drawing, and which attributes of it.
_SHAPES = {
    "g": ("transform",),
    "path": ("d",),
    "circle": ("cx", "cy", "r"),
    "text": ("x", "y", "transform"),
}
_CLASSES = {"axis", "x", "y", "guide", "line", "major", "dot"}
_FILLED, _EMPTY = Markup("<{0}{1}>{2}</{0}>"), Markup("<{0}{1}/>")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_GEOMETRY = re.compile(r"[MLHVCSQTAZmlhvcsqtaz\d\s.,+()-]*|(?:translate|rotate)\([\d\s.,+-]*\)")
_SERIES = re.compile(r"\bserie-(\d+)")


class Element(Protocol):
    """What lxml's and the standard library's elements have in common."""

    @property
    def tag(self) -> str:
        """Its name, perhaps with a namespace before it."""

    @property
    def text(self) -> str | None:
        """Before its first child."""

    def get(self, key: str, default: str) -> str:
        """An attribute."""

    def __iter__(self) -> Iterator[Element]: ...


def shapes(element: Element, looks: Sequence[str]) -> Markup:
    """The element as markup, without whatever is no shape and no text."""
    tag = str(element.tag).rpartition("}")[2]
    if tag not in _SHAPES or element.get("r", "") == "0":
        return Markup()
    inside = Markup("").join(shapes(child, looks) for child in element)
    inside += one_line(element.text or "", TEXT)
    if not inside and tag in {"g", "text"}:
        return Markup()
    geometry = [
        (name, _rounded(value))
        for name in _SHAPES[tag]
        if (value := element.get(name, "")) and _GEOMETRY.fullmatch(value)
    ]
    classes = _classes(element, looks)
    attributes = [("class", classes)] * bool(classes) + geometry
    told = Markup("").join(Markup(' {}="{}"').format(*pair) for pair in attributes)
    return (_FILLED if inside else _EMPTY).format(tag, told, inside)


def _classes(element: Element, looks: Sequence[str]) -> str:
    told = element.get("class", "")
    found = _SERIES.search(told)
    kept = ["series", *looks[int(found[1])].split()] if found else _CLASSES.intersection(told.split())
    return " ".join(f"c-{name}" for name in sorted(kept))


def _rounded(geometry: str) -> str:
    """Tenths of a pixel are enough for anybody."""
    return _NUMBER.sub(lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), geometry)
