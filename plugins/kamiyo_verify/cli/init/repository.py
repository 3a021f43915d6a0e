"""Look at the folder of a new project, and at the repository around it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

WORKFLOW = Path(".github/workflows/verify.yml")
WORKFLOW_TITLE = "# Verifies each deployment that GitHub is told of."
"""The first line of the workflow that `init` writes, by which it knows its own."""

_NOT_OURS = {".git", ".venv", "venv", "node_modules", "dist", "build"}
_DEEPEST = 3


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
    schema = _prisma(root)
    provider = _provider(schema) if schema else ""
    postgres = provider in {"postgresql", "postgres"}
    return Repository(
        root=root,
        within=folder.relative_to(root).as_posix(),
        blueprint=any((one / "render.yaml").is_file() for one in (folder, root)),
        prisma=schema.parent.relative_to(root).as_posix() if schema and postgres else "",
        other_database="" if postgres else provider,
        deploys=tuple(_deploys(root)),
    )


def is_ours(workflow: str) -> bool:
    """Whether the text of a workflow is one that `init` wrote."""
    return workflow.startswith(WORKFLOW_TITLE)


def _prisma(root: Path) -> Path | None:
    """Return the first prisma/schema.prisma, at most three folders deep."""
    for place, folders, files in os.walk(root):
        depth = len(Path(place).relative_to(root).parts)
        folders[:] = sorted(set(folders) - _NOT_OURS) if depth < _DEEPEST else []
        if Path(place).name == "prisma" and "schema.prisma" in files:
            return Path(place) / "schema.prisma"
    return None


def _provider(schema: Path) -> str:
    """Return the provider of the datasource, such as "postgresql"; "" if the file names none."""
    text = schema.read_text(encoding="utf-8", errors="replace")
    found = re.search(r'datasource\s+\w+\s*\{[^}]*?\bprovider\s*=\s*"(\w+)"', text)
    return found[1] if found else ""


def _deploys(root: Path) -> list[str]:
    found = sorted((root / ".github" / "workflows").glob("*.y*ml"))
    texts = {one: one.read_text(encoding="utf-8", errors="replace") for one in found}
    speaking = (one for one, text in texts.items() if "deploy" in text.lower() and not is_ours(text))
    return [one.relative_to(root).as_posix() for one in speaking]
