"""`kamiyo-verify schema`: print the JSON Schema of verdict.json."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from kamiyo_verify.model.verdict import Verdict

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the schema; return 0."""
    about = "Print the JSON Schema of verdict.json (draft 2020-12); docs/verdict.schema.json is the same."
    argparse.ArgumentParser(prog="kamiyo-verify schema", description=about).parse_args(arguments)
    sys.stdout.write(schema_text())
    return 0


def schema_text() -> str:
    """Return the schema as JSON text with a final line feed."""
    return json.dumps(verdict_schema(), indent=2, ensure_ascii=False) + "\n"


def verdict_schema() -> dict[str, Any]:
    """Return the JSON Schema of verdict.json, as this version writes it."""
    found = TypeAdapter(Verdict).json_schema(by_alias=True, mode="serialization")
    return {"$schema": DIALECT, **found, "title": "kamiyo-verify verdict"}
