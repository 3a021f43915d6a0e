"""Keep only the shapes and texts of an SVG; drop everything else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from markupsafe import Markup

from kamiyo_verify.reporting.inert import one_line

TEXT = 40
"""Most characters of one text beside a drawing."""

# The allowed elements, and their allowed attributes.
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
    """The common interface of lxml's and the standard library's elements."""

    @property
    def tag(self) -> str:
        """The element's name, possibly with a namespace before it."""

    @property
    def text(self) -> str | None:
        """The text before the first child."""

    def get(self, key: str, default: str) -> str:
        """Return an attribute."""

    def __iter__(self) -> Iterator[Element]: ...


def shapes(element: Element, looks: Sequence[str]) -> Markup:
    """Return the element as markup, with only its shapes and texts."""
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
    rendered = Markup("").join(Markup(' {}="{}"').format(*pair) for pair in attributes)
    return (_FILLED if inside else _EMPTY).format(tag, rendered, inside)


def _classes(element: Element, looks: Sequence[str]) -> str:
    classes = element.get("class", "")
    found = _SERIES.search(classes)
    kept = ["series", *looks[int(found[1])].split()] if found else _CLASSES.intersection(classes.split())
    return " ".join(f"c-{name}" for name in sorted(kept))


def _rounded(geometry: str) -> str:
    """Round to a tenth of a pixel, which is precise enough."""
    return _NUMBER.sub(lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), geometry)
