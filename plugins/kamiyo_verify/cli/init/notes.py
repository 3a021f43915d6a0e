"""What `init` tells its reader: what each service was seen to answer, and what remains to be done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kamiyo_verify.cli.init.looking import Seen
from kamiyo_verify.cli.init.repository import WORKFLOW, is_ours
from kamiyo_verify.cli.init.wanted import COMMIT_LINE, Wanted
from kamiyo_verify.model.figures import counted

_SOON_DAYS = 30


def seen_of(seen: Seen) -> str:
    """Describe in one line what a service answers."""
    parts = [
        f"healthy at {seen.health}" if seen.health != "/" else "answers at /, and at no usual health path"
    ]
    if seen.title:
        parts.append(f'a page titled "{seen.title}"')
    if seen.rows is not None:
        parts.append(f'rows in "{seen.rows}" of /' if seen.rows else "rows at /")
    if seen.description:
        paths = counted(len(seen.description.readable), "path")
        parts.append(f"{seen.description.place} describes {paths} that anybody may read")
    if seen.certificate_days is not None:
        parts.append(f"certificate valid for {counted(int(seen.certificate_days), 'more day')}")
    if seen.commit:
        parts.append(f"commit = {seen.commit}")
    return " · ".join(parts)


def notes_of(wanted: Wanted, *, folder: Path, kept: str | None) -> Iterator[str]:
    """Yield what the reader should know or do, most important first.

    Args:
        wanted: the project.
        folder: the project's folder.
        kept: the text of another workflow that was there already, or None.
    """
    for name in wanted.reports_no_commit:
        yield (
            f"no answer of {name} tells its commit, so the workflow passes no --commit. Once one does, add to"
            f" [services.{name}] of environments/prod.toml: {COMMIT_LINE}"
            " (or commit.path and commit.field of a JSON answer)"
        )
    for name, seen in wanted.seen.items():
        if seen.certificate_days is not None and seen.certificate_days < _SOON_DAYS:
            yield f"the certificate of {name} ends in {counted(int(seen.certificate_days), 'day')}: renew it"
    if wanted.variables:
        yield f"copy .env.example to .env and set {', '.join(wanted.variables)}; in CI they are secrets"
    if wanted.repository.prisma:
        yield f"{wanted.repository.prisma} is Prisma's: its migrations are checked where DATABASE_URL is set"
    if wanted.repository.other_database:
        yield f"Prisma's {wanted.repository.other_database} is not checked: only PostgreSQL is"
    yield from _about_what_was_named(wanted)
    if not wanted.control:
        yield "an outage is told from a fault of our own network by --control, an address that is not yours"
    if kept is not None and is_ours(kept):
        yield (
            f"{WORKFLOW} is of an earlier init and was left as it is: give it a second job, with the"
            f" working-directory {wanted.repository.within}, or remove it and let init write it anew"
        )
    elif kept is not None:
        yield f"{WORKFLOW} is there already and was left as it is: docs/ci.md has the steps to add"
    for path in wanted.repository.deploys:
        yield f"{path} speaks of deployments: the verification can be its last step"
    ignore = folder / ".gitignore"
    if wanted.variables and ".env" not in ignore.read_text(encoding="utf-8").split():
        yield "add .env to .gitignore: it will hold secrets"


def _about_what_was_named(wanted: Wanted) -> Iterator[str]:
    """Yield what to know of the WebSockets, the workers and the host that the reader named."""
    for one in wanted.websockets:
        if one.problem:
            yield f"the WebSocket was not seen to open, and its check may need a credential: {one.problem}"
    if wanted.workers and wanted.host.kind != "kubernetes":
        yield (
            f"nothing answers for {', '.join(wanted.workers)}: whether a worker runs is verified by its host,"
            " so the call is inconclusive until environments/prod.toml has the host and each hosting_id"
        )
    if wanted.host.kind == "kubernetes":
        yield (
            "pip install 'kamiyo-verify[kubernetes]', and give every run a kubeconfig with the context"
            f" {wanted.host.context}; each hosting_id is taken from the service's name"
        )
    if wanted.host.kind == "render":
        yield "hosted on Render: kamiyo-verify render-ids prints the table [render] and each hosting_id"
