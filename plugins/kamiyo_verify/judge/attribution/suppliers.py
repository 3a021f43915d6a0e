"""Select the components of a third party's status page that can affect our requests."""

from __future__ import annotations

import re
from collections.abc import Collection

from kamiyo_verify.model.runbook import SupplierRow

_WITH_REGION = re.compile(r"(?P<name>.+?)\s*(?:\((?P<brackets>[^)]+)\)|\s[-–—:]\s(?P<dash>.+))\s*")


def counts(component: str, row: SupplierRow, regions: Collection[str]) -> bool:
    """Return whether a problem with a component can explain a failure of ours.

    Args:
        component: its full name on the page, such as "PostgreSQL (Singapore)".
        row: names the components that count, each by its full name, with or without a region.
        regions: the regions of our services. Unless `row` names it with its region, a component of another
            region does not count, nor does any component with a region if ours are unknown.
    """
    names = {_plain(name) for name in row.components}
    if _plain(component) in names:
        return True
    region = region_of(component)
    name = _WITH_REGION.fullmatch(component.strip())
    return bool(
        region
        and name is not None
        and _plain(name["name"]) in names
        and _plain(region) in {_plain(one) for one in regions}
    )


def region_of(component: str) -> str:
    """Return the region in brackets or after a dash at the end of the name, such as "Singapore"; or ""."""
    found = _WITH_REGION.fullmatch(component.strip())
    return (found["brackets"] or found["dash"] or "").strip() if found else ""


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().casefold()
