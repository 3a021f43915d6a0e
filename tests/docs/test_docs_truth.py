"""What the pages say of credentials, of common issues and of another platform is what the project does."""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.postgres.client import DatabaseClient
from kamiyo_verify.integrations.postgres.settings import Database
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Phase
from sandbox.faults import FAULTS
from tests.support.documents import ROOT, pages
from tests.support.postgres_server import postgres

PAGES = pages()


def whole_prod(tmp_path: Path) -> Environment:
    """environments/prod.toml with every table that its reader may take the # away from."""
    text = (ROOT / "environments" / "prod.toml").read_text(encoding="utf-8")
    bare = re.sub(r"^# (\[[a-z_.]+\]$|[a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    numbers = itertools.count(1)
    filled = re.sub(r"\.\.\.", lambda _: f"{next(numbers):08}", bare)
    (tmp_path / "prod.toml").write_text(filled, encoding="utf-8")
    return load_environment("prod", tmp_path, overrides={}, variables={}, dotenv=None)


# Credentials.


def needs() -> dict[str, dict[str, set[str]]]:
    """By credential or table, and by phase, the items whose check says that it needs it."""
    found: dict[str, dict[str, set[str]]] = {}
    for path in sorted((ROOT / "checks").rglob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        of_all = [
            mark
            for node in module.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
            for mark in ast.walk(node.value)
        ]
        for node in module.body:
            if isinstance(node, ast.FunctionDef):
                marks = [*of_all, *(mark for one in node.decorator_list for mark in ast.walk(one))]
                for item in _arguments(marks, "pytest.mark.item"):
                    phase, _, name = item.partition(".")
                    for key in _arguments(marks, "pytest.mark.needs"):
                        found.setdefault(key, {}).setdefault(phase, set()).add(name)
    return found


def _arguments(nodes: list[ast.AST], marker: str) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == marker:
            yield from (
                one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )


def needs_table(environment: Environment) -> list[str]:
    """The page's last table: a row for each credential and table that some check needs."""
    names = {key: credential.name for key, credential in environment.secrets.items()}
    rows = ["| variable, or table | of these items |", "| --- | --- |"]
    found = needs()
    for key in sorted(found, key=lambda key: (key not in names, [*names, key].index(key))):
        by_phase = (
            f"{phase}: {', '.join(sorted(found[key][phase]))}" for phase in Phase if phase in found[key]
        )
        called = f"`{names[key]}`" if key in names else f"the table `[{key}]`"
        rows.append(f"| {called} | {'; '.join(by_phase)} |")
    return rows


def test_the_table_of_credentials_and_items_is_what_the_checks_say(tmp_path: Path) -> None:
    wanted = "\n".join(needs_table(whole_prod(tmp_path)))
    assert wanted in PAGES["docs/credentials.md"].text, (
        f"the last table of docs/credentials.md must be\n\n{wanted}"
    )


def test_every_credential_is_explained_and_has_its_line_in_the_example(tmp_path: Path) -> None:
    page = PAGES["docs/credentials.md"].text
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for key, credential in whole_prod(tmp_path).secrets.items():
        if key.startswith("notifications."):
            continue  # each team names its own
        assert re.search(rf"^\| .*`{credential.name}`", page, re.MULTILINE), (
            f"{key}: {credential.name} has no row"
        )
        assert re.search(rf"^{credential.name}=$", example, re.MULTILINE), (
            f".env.example lacks {credential.name}"
        )


@pytest.mark.exhaustive
def test_the_role_of_the_page_suffices_and_can_do_nothing_else() -> None:
    [sql] = re.findall(r"```sql\n(.*?)```", PAGES["docs/credentials.md"].text, re.DOTALL)
    with postgres() as url:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(_MIGRATIONS)
            owner.execute("CREATE TABLE customers (name text)")
            owner.execute(sql.encode())
        secret = re.search(r"PASSWORD '(.*)' C", sql)
        assert secret
        told = psycopg.conninfo.conninfo_to_dict(url) | {"user": "verifier", "password": secret[1]}
        address = psycopg.conninfo.make_conninfo("", **{key: str(value) for key, value in told.items()})
        database = DatabaseClient(
            Database(url=Credential(name="DATABASE_URL", value=SecretStr(address))),
            ClientContext.unrecorded(Timeouts(), lambda: 30.0),
            production=False,
        )
        assert database.read_only()
        assert database.connections().used >= 1
        assert database.slow_queries(60_000) == ()
        assert [migration.name for migration in database.migrations()] == ["20250101000000_init"]
        database.close()
        with psycopg.connect(address, autocommit=True) as role:
            role.execute("SET default_transaction_read_only = off")
            for forbidden in (b"SELECT * FROM customers", b"DELETE FROM _prisma_migrations"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    role.execute(forbidden)


_MIGRATIONS = """
    CREATE TABLE _prisma_migrations (
        id text, checksum text, finished_at timestamptz, migration_name text, logs text,
        rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int
    );
    INSERT INTO _prisma_migrations VALUES ('1', 'x', now(), '20250101000000_init', NULL, NULL, now(), 1);
"""

# Common issues.


def test_each_common_issue_of_the_runbook_has_its_answer() -> None:
    runbook = tomllib.loads((ROOT / "runbook.toml").read_text(encoding="utf-8"))
    remedy_of = {
        item["id"]: item.get("remedy", "") for section in runbook["sections"] for item in section["items"]
    }
    rows = [
        [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")]
        for line in PAGES["docs/faq.md"].text.partition("| remedy |")[2].splitlines()[2:]
    ]
    for _, [remedy], before, after, [fault] in rows:
        assert fault in FAULTS, f"docs/faq.md: the sandbox has no fault {fault}"
        for item in [*before, *after]:
            assert remedy_of[item] == remedy, (
                f"docs/faq.md: {item} leads to {remedy_of[item]!r}, not {remedy}"
            )
    assert [row[1] for row in rows] == [[remedy["id"]] for remedy in runbook["remedies"]]
    assert len(rows) == 9


# Another platform.


@pytest.mark.parametrize("language", ["toml", "python"])
def test_what_the_page_shows_of_another_platform_is_there_word_for_word(language: str) -> None:
    files = (ROOT / "tests" / "another_platform").rglob("*.*")
    built = "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix in {".py", ".toml"})
    shown = re.findall(rf"```{language}\n(.*?)```", PAGES["docs/project-files.md"].text, re.DOTALL)
    assert shown
    for block in shown:
        assert block in built, f"docs/project-files.md shows what tests/another_platform has not:\n{block}"
