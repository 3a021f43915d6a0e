"""Validate the templates of the runbook's announcements."""

from __future__ import annotations

from collections.abc import Iterable
from string import Formatter

from kamiyo_verify.model.notifications import OF_A_DEPLOYMENT, OF_A_VERDICT, Moment, url_field
from kamiyo_verify.model.runbook import Announcement


def unfillable(row: Announcement, services: Iterable[str]) -> str:
    """Return what is wrong in a template, such as an unknown field; "" if it is valid.

    Args:
        row: has the template.
        services: the names of the project's services.
    """
    try:
        fields = [field for field in Formatter().parse(row.text) if field[1] is not None]
    except ValueError as error:
        return f"is no template: {error}; write {{{{ for a brace"
    allowed = {*OF_A_DEPLOYMENT, *map(url_field, services), *(() if row.id is Moment.START else OF_A_VERDICT)}
    for _, name, form, conversion in fields:
        if name not in allowed or form or conversion:
            return f'nothing is known as "{{{name}}}"; there are: {", ".join(sorted(allowed))}'
    return "" if row.text.strip() else "must not be empty"
