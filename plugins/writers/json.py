"""verdict.json: what programs read."""

from __future__ import annotations

import json

from plugins.model.verdict import Verdict
from plugins.writers.inert import written_out_in_json


def verdict_json(verdict: Verdict) -> str:
    """The verdict as JSON text, the same for the same verdict to the byte, with a line feed at its end.

    `Verdict.from_json(json.loads(text))` gives the verdict back.

    Raises:
        ValueError: it holds a number that JSON cannot tell, such as infinity.
    """
    text = json.dumps(verdict.as_json(), indent=2, ensure_ascii=False, allow_nan=False)
    return written_out_in_json(text) + "\n"
