"""Evidence attached to a check's report; xdist transfers it from workers with the report."""

from __future__ import annotations

from typing import Any

VERIFICATION = "verification"
"""The attribute of a report that holds the outcome and evidence of a check."""


def verification_in(report: object) -> dict[str, Any] | None:
    """Return the JSON-safe evidence of a check's report; None for any other report."""
    found: dict[str, Any] | None = getattr(report, VERIFICATION, None)
    return found
