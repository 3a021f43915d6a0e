"""The forms that a healthy platform can have, none of which is a fault."""

from __future__ import annotations

from collections.abc import Collection

FORMS: dict[str, str] = {
    "google-only": "NextAuth lists Google alone and takes no passwords",
    "monorepo": "a root directory for each service: the commit changes nothing of the website",
    "pooler": "PgBouncer in transaction mode before the database, at the address that is told",
    "server-side-proxy": "pages ask the website, whose server asks the API; no browser may ask the API",
    "plain-cookies": "NextAuth with useSecureCookies: false: no cookie has a prefix, not even on https",
}

_AS_FAULTS = {"google-only": "google-only", "monorepo": "commit-ignored"}
"""Forms that a run can also switch on as a fault."""


def lasting_faults(forms: Collection[str]) -> frozenset[str]:
    """Return the faults that stay on for as long as the platform has these forms."""
    return frozenset(_AS_FAULTS[form] for form in forms if form in _AS_FAULTS)
