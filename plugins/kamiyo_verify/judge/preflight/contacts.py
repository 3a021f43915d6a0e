"""Find people on call and escalation contacts that cannot be reached."""

from __future__ import annotations

from collections.abc import Iterable

from kamiyo_verify.model.outside.oncall import Responder
from kamiyo_verify.model.runbook import Contact, Runbook

_NEEDED = ("name", "phone", "email")


def unreachable_people(people: Iterable[Responder]) -> tuple[str, ...]:
    """Return the people on call without a contact method, each with what is missing."""
    return tuple(f"{person.name} has no {' and no '.join(person.lacks)}" for person in people if person.lacks)


def escalation_contacts(runbook: Runbook) -> tuple[Contact, ...]:
    """Return the runbook's contacts of the escalation path; empty if none of them has a name yet."""
    path = {row.who for row in runbook.escalation}
    people = tuple(contact for contact in runbook.contacts if contact.role in path)
    return people if any(person.name for person in people) else ()


def unreachable_contacts(contacts: Iterable[Contact]) -> tuple[str, ...]:
    """Return the contacts without a contact method, each with what is missing."""
    found = (
        (contact.role, [field for field in _NEEDED if not getattr(contact, field)]) for contact in contacts
    )
    return tuple(f"{role} has no {' and no '.join(blank)}" for role, blank in found if blank)
