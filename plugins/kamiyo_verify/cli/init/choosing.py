"""Choose the checks that fit what a platform answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from kamiyo_verify.cli.init.described import Description
from kamiyo_verify.cli.init.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Check:
    """One item of the runbook, and the call of the library that verifies it.

    Attributes:
        item: its id, without the phase.
        title, impact, service, optional: as in runbook.toml.
        call: the body of its test.
        needs: the credential that it needs, by its dotted key; "" for none.
    """

    item: str
    title: str
    impact: str
    service: str
    call: str
    optional: bool = False
    needs: str = ""


def checks_for(wanted: Wanted) -> Iterator[Check]:
    """Yield the checks, service by service."""
    for name, seen in wanted.seen.items():
        opened, plain = f'http("{name}")', f'http("{name}", None)'
        # A website may answer any path with its page, so that a page there would not be the health's own.
        no_page = ", no_page=True" if seen.health != "/" else ""
        call = f'library.answers({plain}, "{seen.health}", measure{no_page})'
        yield Check(f"{name}-healthy", f"{name} is healthy", "core", name, call)
        if seen.title:
            description = json.dumps(seen.title, ensure_ascii=False)
            call = f'library.shows_title({plain}, "/", {description}, measure)'
            yield Check(f"{name}-title", f"The page of {name} loads", "ui", name, call)
        if seen.rows is not None:
            within = f", within={json.dumps(seen.rows)}" if seen.rows else ""
            call = f'library.has_rows({plain}, "/", measure{within})'
            yield Check(f"{name}-data", f"{name} lists its data", "data", name, call)
        if seen.https:
            call = f"library.certificate_lasts({plain}, measure)"
            yield Check(f"{name}-certificate", f"The certificate of {name} lasts", "process", name, call)
        if seen.description:
            yield from _described(name, seen.description)
        call = (
            f'library.serves_commit({plain}, expected_commit, environment.services["{name}"].commit, measure)'
        )
        yield Check(f"{name}-commit", f"{name} runs the commit of --commit", "core", name, call)
        if wanted.sign_in and wanted.sign_in.service == name:
            call = f'library.signs_in({opened}, "{wanted.sign_in.path}", measure)'
            yield Check(f"{name}-sign-in", f"Our test account signs in at {name}", "auth", name, call)
    yield from _websockets(wanted)
    for name in wanted.workers:
        call = f'library.worker_runs(hosting, "{name}", measure, commit=expected_commit)'
        yield Check(f"{name}-runs", f"{name} runs", "core", name, call)
        # A log may be silent because the worker has nothing to do: it counts where the host knows no more.
        if wanted.host.reports_crashes:
            call = f'library.worker_stays_up(hosting, "{name}", measure)'
            yield Check(f"{name}-stays-up", f"{name} does not crash", "feature", name, call)
        else:
            call = f'library.worker_logs(hosting, "{name}", measure)'
            yield Check(f"{name}-logs", f"The log of {name} goes on", "feature", name, call)
    if wanted.repository.prisma:
        yield Check(
            "migrations",
            "No migration of Prisma is stuck",
            "data",
            next(iter(wanted.urls)),
            "library.settles_migrations(database, measure)",
            optional=True,
            needs="database.url",
        )


def _websockets(wanted: Wanted) -> Iterator[Check]:
    """A greeting that came without a credential is expected without one."""
    numbers: Counter[str] = Counter()
    for one in wanted.websockets:
        numbers[one.service] += 1
        number = f"-{numbers[one.service]}" if numbers[one.service] > 1 else ""
        client = f'http("{one.service}"{"" if one.problem else ", None"})'
        websocket = f"{client}.websocket({json.dumps(one.path)})"
        expected = f", type={json.dumps(one.type)}" if one.type else ""
        accepts = not one.greets and not one.problem
        call = (
            f"library.accepts_websocket({websocket}, measure)"
            if accepts
            else f"library.greets({websocket}, measure{expected})"
        )
        title = f"The WebSocket {one.path} of {one.service} {'opens' if accepts else 'greets'}"
        yield Check(f"{one.service}-websocket{number}", title, "feature", one.service, call)


def _described(name: str, description: Description) -> Iterator[Check]:
    for number, one in enumerate(description.readable, start=1):
        client, path = f'http("{name}", None)', f'"{one.path}"'
        if one.listed:
            call = f"library.has_rows({client}, {path}, measure, at_least=0)"
        elif one.keys:
            call = f"library.has_keys({client}, {path}, {json.dumps([*one.keys])}, measure)"
        else:
            call = f"library.answers({client}, {path}, measure)"
        yield Check(f"{name}-read-{number}", f"{name} answers {one.path}", "feature", name, call)
