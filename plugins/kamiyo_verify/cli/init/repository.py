"""Look at the folder of a new project, and at the repository around it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WORKFLOW = Path(".github/workflows/verify.yml")
WORKFLOW_TITLE = "# Verifies each deployment that GitHub is told of."
"""The first line of the workflow that `init` writes, by which it knows its own."""

_NOT_OURS = {".git", ".venv", "venv", "node_modules", "dist", "build"}
_DEEPEST = 4
_POSTGRES = {"postgresql", "postgres"}
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*')


@dataclass(frozen=True, slots=True)
class Repository:
    """What a repository holds.

    Attributes:
        root: its folder: the nearest one above that has `.git`, else the project's own.
        within: the path of the project in it, "." where it is the root.
        blueprint: it has a render.yaml.
        prisma: the folder of a Prisma schema for PostgreSQL, relative to the root; "" if there is none.
        other_database: the provider of a Prisma schema that is not PostgreSQL; "" if there is none.
        deploys: the paths of GitHub workflows of others whose names or jobs speak of a deployment.
    """

    root: Path
    within: str
    blueprint: bool
    prisma: str
    other_database: str
    deploys: tuple[str, ...]


def repository_of(folder: Path) -> Repository:
    """Look at the files around a folder; nothing is changed."""
    folder = folder.resolve()
    root = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)
    schemas = {schema: _provider(schema) for schema in _prisma(root)}
    ours = next((schema for schema, provider in schemas.items() if provider in _POSTGRES), None)
    return Repository(
        root=root,
        within=folder.relative_to(root).as_posix(),
        blueprint=any((one / "render.yaml").is_file() for one in (folder, root)),
        prisma=_with_migrations(ours.parent).relative_to(root).as_posix() if ours else "",
        other_database="" if ours else next(filter(None, schemas.values()), ""),
        deploys=tuple(_deploys(root)),
    )


def is_ours(workflow: str) -> bool:
    """Whether the text of a workflow is one that `init` wrote."""
    return workflow.startswith(WORKFLOW_TITLE)


def _prisma(root: Path) -> Iterator[Path]:
    """Yield the files of Prisma schemas, at most four folders deep: a schema may be split into several."""
    for place, folders, files in os.walk(root):
        parts = Path(place).relative_to(root).parts
        folders[:] = sorted(set(folders) - _NOT_OURS) if len(parts) < _DEEPEST else []
        if "prisma" in parts:
            yield from (Path(place) / file for file in sorted(files) if file.endswith(".prisma"))


def _with_migrations(folder: Path) -> Path:
    """Return the folder that holds `migrations`: of a split schema it may be the one above."""
    above = folder.parent
    return above if not (folder / "migrations").is_dir() and (above / "migrations").is_dir() else folder


def _provider(schema: Path) -> str:
    """Return the provider of the datasource, such as "postgresql"; "" if the file names none."""
    written = schema.read_text(encoding="utf-8", errors="replace")
    text = _COMMENT.sub(lambda found: found[0] if found[0].startswith('"') else "", written)
    found = re.search(r'datasource\s+\w+\s*\{[^}]*?\bprovider\s*=\s*"(\w+)"', text)
    return found[1] if found else ""


def _deploys(root: Path) -> list[str]:
    found = sorted((root / ".github" / "workflows").glob("*.y*ml"))
    texts = {one: one.read_text(encoding="utf-8", errors="replace") for one in found}
    speaking = (one for one, text in texts.items() if "deploy" in text.lower() and not is_ours(text))
    return [one.relative_to(root).as_posix() for one in speaking]
