"""verdict.json, the machine-readable verdict."""

from __future__ import annotations

import json

from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.writing.text import written_out_in_json


def verdict_json(verdict: Verdict) -> str:
    """Return the verdict as JSON text; the same verdict always gives the same bytes, with a final line feed.

    `Verdict.from_json(json.loads(text))` returns the verdict.

    Raises:
        ValueError: the verdict contains a number that JSON cannot encode, such as infinity.
    """
    text = json.dumps(verdict.as_json(), indent=2, ensure_ascii=False, allow_nan=False)
    return written_out_in_json(text) + "\n"
