"""The file changes of each fault of the checkout."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.migrations import FOLDER, MIGRATIONS, RELEASED, RELEASED_DESTRUCTIVE

Files = dict[str, str]
"""Contents by path."""

BACKUP = "backups/kamiyo_prod.sql"

_LOCK = "website/package-lock.json"
_AUDIT = "scripts/security_audit.sh"
_VALIDATION = "scripts/validate_env.sh"


def _tests_failing(files: Files) -> None:
    files["tests/test_regression.py"] = (
        '"""A bug that somebody wrote down."""\n\nfrom api.alerts import wanted\n\n\n'
        "def test_an_unknown_amount_is_no_small_amount() -> None:\n"
        '    assert wanted("Ethereum", None, chains=frozenset(), at_least_usd=1000)\n'
    )


def _script(path: str, said: str, code: int) -> Callable[[Files], None]:
    def edit(files: Files) -> None:
        files[path] = f'#!/bin/sh\necho "{said}"\nexit {code}\n'

    return edit


def _replaced(path: str, old: str, new: str) -> Callable[[Files], None]:
    def edit(files: Files) -> None:
        assert old in files[path], f"{path} has no {old!r} to replace"
        files[path] = files[path].replace(old, new, 1)

    return edit


def _migration(name: str) -> str:
    return f"{FOLDER}/{name}/migration.sql"


def _added(name: str, sql: str) -> Callable[[Files], None]:
    def edit(files: Files) -> None:
        files[_migration(name)] = sql

    return edit


def _removed(path: str) -> Callable[[Files], None]:
    def edit(files: Files) -> None:
        del files[path]

    return edit


EDITS: dict[str, Callable[[Files], None]] = {
    "tests-failing": _tests_failing,
    "audit-failing": _script(_AUDIT, "CRITICAL: starlette 0.49.3 reads requests without an end", 1),
    "validation-failing": _script(_VALIDATION, "FAILED: JWT_SECRET is not set", 1),
    "validation-broken": _script(_VALIDATION, "validate_env.sh: jq: not found", 127),
    "tree-dirty": _replaced("README.md", "# Kamiyo\n", "# Kamiyo, mended in place\n"),
    "requirements-loose": _replaced("requirements.txt", "uvicorn==", "uvicorn>="),
    "lock-out-of-step": _replaced("requirements.txt.lock", "fastapi==0.121.2", "fastapi==0.119.0"),
    "node-lock-out-of-step": _replaced("website/package.json", '"ms": "^2.1.3"', '"ms": "^2.2.0"'),
    "registry-foreign": _replaced(
        _LOCK, "https://registry.npmjs.org/ms/", "https://registry.npmjs.example/ms/"
    ),
    "migration-malformed": _replaced(_migration(RELEASED.name), "ADD COLUMN", "ADD COLUMN ("),
    "migration-applied-destructive": _added(RELEASED_DESTRUCTIVE.name, RELEASED_DESTRUCTIVE.sql),
    "migration-pending-destructive": _added(
        "20251102101500_drop_image", '-- AlterTable\nALTER TABLE "User" DROP COLUMN "image";\n'
    ),
    "migration-edited": _replaced(_migration(MIGRATIONS[1].name), "'free'", "'none'"),
    "migration-missing-on-disk": _removed(_migration(MIGRATIONS[3].name)),
    "migration-out-of-order": _added(
        "20250601120000_add_notes", '-- AlterTable\nALTER TABLE "AlertFilter" ADD COLUMN "note" TEXT;\n'
    ),
    "backup-missing": _removed(BACKUP),
}
