"""Jinja templates with automatic escaping."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from kamiyo_verify.model.figures import counted, duration, percent, quantity
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.compiled_templates import CompiledTemplates
from kamiyo_verify.reporting.inert import inert, one_line

TEMPLATES = Path(__file__).parent / "templates"


def templates(**names: object) -> Environment:
    """Return this project's template environment with the usual filters and these global names."""
    loaded = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finally,
        optimized=False,  # nothing of ours may run while a template is compiled: see `CompiledTemplates`
        bytecode_cache=CompiledTemplates(TEMPLATES, _settings()),
    )
    filters = (counted, duration, inert, one_line, percent, quantity)
    loaded.filters |= {one.__name__: one for one in filters}
    loaded.globals |= {"words": words, **names}
    return loaded


@cache
def _settings() -> str:
    """Return what changes whenever the settings of the environment do: all of them are in this file."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


@pass_context  # with a context it is not applied to constants while a template is compiled
def _finally(_: Context, value: object) -> object:
    """Make every remaining plain string inert and bounded."""
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value
