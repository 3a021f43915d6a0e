"""Whether everyone who would be called can be reached."""

from __future__ import annotations

from collections.abc import Iterable

from plugins.model.oncall import Responder
from plugins.model.runbook import Contact, Runbook

_NEEDED = ("name", "phone", "email")


def unreachable_people(people: Iterable[Responder]) -> tuple[str, ...]:
    """Those on call who lack a way to be reached, each with what is missing."""
    return tuple(f"{person.name} has no {' and no '.join(person.lacks)}" for person in people if person.lacks)


def escalation_contacts(runbook: Runbook) -> tuple[Contact, ...]:
    """The runbook's contacts of the escalation path; empty where none of them has a name yet."""
    path = {row.who for row in runbook.escalation}
    people = tuple(contact for contact in runbook.contacts if contact.role in path)
    return people if any(person.name for person in people) else ()


def unreachable_contacts(contacts: Iterable[Contact]) -> tuple[str, ...]:
    """Those that lack a way to be reached, each with what is missing."""
    found = (
        (contact.role, [field for field in _NEEDED if not getattr(contact, field)]) for contact in contacts
    )
    return tuple(f"{role} has no {' and no '.join(blank)}" for role, blank in found if blank)
