"""How templates become markup: everything that is put into one is escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from plugins.model.figures import counted, duration, percent, quantity
from plugins.writers import words
from plugins.writers.inert import inert, one_line

TEMPLATES = Path(__file__).parent / "templates"


def templates(**names: object) -> Environment:
    """The templates of this project, to which these names are known besides the usual filters."""
    loaded = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finally,
    )
    filters = (counted, duration, inert, one_line, percent, quantity)
    loaded.filters |= {one.__name__: one for one in filters}
    loaded.globals |= {"words": words, **names}
    return loaded


def _finally(value: object) -> object:
    """Whatever no filter has seen to: inert, and bounded."""
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value
