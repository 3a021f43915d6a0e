"""What `kamiyo-verify init` sees of a platform and of its repository, and what it makes of it."""

from __future__ import annotations

import ast
import json
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
import yaml

from kamiyo_verify.cli.init.command import main
from kamiyo_verify.cli.init.repository import repository_of
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.runbook import load_runbook

COMMIT = "5a" * 20
Answers = Mapping[str, object]


@dataclass
class Platform:
    """A server with these JSON answers by path; it records what it was asked."""

    origin: str
    asked: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)


@contextmanager
def serving(
    answers: Answers,
    *,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    otherwise: object = None,
) -> Iterator[Platform]:
    platform = Platform("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            platform.asked.append(self.path)
            platform.credentials += [
                self.headers[one] for one in ("Authorization", "Cookie") if self.headers[one]
            ]
            found = {"/": {"service": "notes"}, **answers}.get(self.path, otherwise)
            page = isinstance(found, str) and found.startswith("<")
            body = (str(found) if page else json.dumps(found)).encode()
            self.send_response(404 if found is None else 200)
            kind = "text/html" if page else "application/json"
            for name, value in {"Content-Type": kind, **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        platform.origin = f"http{'s' * bool(tls)}://127.0.0.1:{server.server_port}"
        yield platform
        server.shutdown()


Serve = Callable[..., Platform]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda answers, **more: stack.enter_context(serving(answers, **more))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / ".git").mkdir(parents=True)
    return folder


def written(folder: Path, *urls: str, options: tuple[str, ...] = ()) -> str:
    """The text of the checks that init writes."""
    arguments = [word for url in urls for word in ("--url", url)]
    assert main([*arguments, "--folder", str(folder), "--no-plan", *options]) == 0
    return (folder / "checks" / "postdeploy" / "test_generic.py").read_text()


def environment(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "environments" / "prod.toml").read_text())


def workflow(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / ".github" / "workflows" / "verify.yml").read_text())
    [job] = found["jobs"].values()
    return dict(job)


# OpenAPI.

NOTE = {"type": "object", "required": ["id", "text", "gone"], "properties": {"id": {}, "text": {}}}


def get(schema: object = None, **more: object) -> dict[str, object]:
    content = {"application/json": {"schema": schema or {"type": "object"}}}
    return {"get": {"responses": {"200": {"description": "ok", "content": content}}, **more}}


OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1"},
    "components": {"schemas": {"Note": NOTE}},
    "paths": {
        "/newest": get({"$ref": "#/components/schemas/Note"}),
        "/notes": get({"type": "array"}),
        "/notes/{id}": get(),
        "/search": get(parameters=[{"name": "q", "in": "query", "required": True}]),
        "/mine": get(security=[{"bearer": []}]),
        "/old": get(deprecated=True),
        "/logout": get(),
        "/reset-everything": get(),
        "/notes/write": {"post": {"responses": {}}},
        "/page": {"get": {"responses": {"200": {"content": {"text/html": {}}}}}},
        '/notes"); import os #': get(),
    },
}
SAFE = {"/newest": {"id": 1, "text": "x"}, "/notes": [{"id": 1}]}


def test_a_description_offers_paths_that_anybody_may_read(serve: Serve, repository: Path) -> None:
    platform = serve({"/openapi.json": OPENAPI, **SAFE})
    checks = written(repository, platform.origin)

    assert 'library.has_keys(http("web", None), "/newest", ["id", "text"], measure)' in checks
    assert 'library.has_rows(http("web", None), "/notes", measure, at_least=0)' in checks
    described = {path for path in platform.asked if path in OPENAPI["paths"]}
    assert described == {"/newest", "/notes"}, "nothing else of the description was asked"
    assert platform.credentials == []
    assert "import os" not in checks


def test_swagger_2_names_where_its_paths_begin(serve: Serve, repository: Path) -> None:
    answer = {"get": {"responses": {"200": {"schema": {"type": "array"}}}}}
    swagger = {"swagger": "2.0", "basePath": "/v1", "paths": {"/notes": answer}}
    checks = written(repository, serve({"/swagger.json": swagger, "/v1/notes": []}).origin)
    assert 'library.has_rows(http("web", None), "/v1/notes", measure, at_least=0)' in checks


@pytest.mark.parametrize(
    "change",
    [
        {"servers": [{"url": "https://another.example/v1"}]},
        {"servers": [{"url": "/{tenant}"}]},
        {"security": [{"bearer": []}]},
        {"paths": "none"},
        {"paths": {"/notes": None, "/newest": {"get": {"responses": []}}}},
        {"components": None, "paths": {"/newest": get({"$ref": "#/components/schemas/Note"}, parameters={})}},
    ],
    ids=["other-origin", "template", "guarded", "no-paths", "broken", "dangling"],
)
def test_a_description_that_offers_nothing_is_no_obstacle(
    change: Answers, serve: Serve, repository: Path
) -> None:
    platform = serve({"/openapi.json": {**OPENAPI, **change}, **SAFE})
    checks = written(repository, platform.origin)
    assert "/notes" not in checks
    assert "test_web_healthy" in checks


def test_a_path_that_is_described_and_does_not_answer_is_left_out(serve: Serve, repository: Path) -> None:
    checks = written(repository, serve({"/openapi.json": OPENAPI, "/notes": []}).origin)
    assert "/newest" not in checks
    assert "/notes" in checks


@pytest.mark.exhaustive
def test_what_a_description_offers_is_verified(serve: Serve, repository: Path) -> None:
    written(repository, serve({"/openapi.json": OPENAPI, **SAFE}, headers={"X-Commit": COMMIT}).origin)
    run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "postdeploy", "--commit", COMMIT]
    ran = subprocess.run(run, cwd=repository, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "4 passed" in ran.stdout


def test_a_key_of_an_answer_is_data_and_never_code(serve: Serve, repository: Path) -> None:
    key = 'notes") or print("'
    checks = written(repository, serve({"/": {key: [1]}}).origin)
    [call] = [node for node in ast.walk(ast.parse(checks)) if isinstance(node, ast.keyword)]
    assert ast.literal_eval(call.value) == key


# The commit.


def test_a_header_that_is_a_commit_is_found_and_passed(serve: Serve, repository: Path) -> None:
    written(repository, serve({}, headers={"X-Git-Sha": COMMIT}).origin)

    assert environment(repository)["services"]["web"]["commit"] == {"header": "X-Git-Sha"}
    job = workflow(repository)
    assert job["env"] == {"COMMIT": "${{ github.event.deployment.sha }}"}
    assert '--commit "$COMMIT"' in job["steps"][-1]["run"]


def test_a_json_field_that_is_a_commit_is_found(serve: Serve, repository: Path) -> None:
    written(repository, serve({"/version": {"version": "1.2.3", "git_sha": COMMIT}}).origin)
    assert environment(repository)["services"]["web"]["commit"] == {"path": "/version", "field": "git_sha"}


@pytest.mark.parametrize("value", ["1.2.3", "20261129", "main", "abc"])
def test_a_version_is_no_commit(value: str, serve: Serve, repository: Path) -> None:
    written(repository, serve({"/version": {"commit": value}}, headers={"X-Version": value}).origin)
    assert "commit" not in environment(repository)["services"]["web"]


def test_where_one_service_tells_no_commit_none_is_passed_and_the_cure_is_said(
    serve: Serve, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api, web = serve({}, headers={"X-Commit": COMMIT}), serve({})
    written(repository, f"api={api.origin}", f"web={web.origin}")

    said = capsys.readouterr().out
    cure = 'commit.header = "X-Commit"'
    assert f"add to [services.web] of environments/prod.toml: {cure}" in said
    assert "[services.api]" not in said
    assert f"# {cure}" in (repository / "environments" / "prod.toml").read_text()
    job = workflow(repository)
    assert "env" not in job
    assert "--commit " not in job["steps"][-1]["run"].replace("# --commit", "")


def test_the_cure_is_valid_as_it_is_offered(serve: Serve, repository: Path) -> None:
    written(repository, serve({}).origin)
    path = repository / "environments" / "prod.toml"
    path.write_text(path.read_text().replace("# commit.header", "commit.header"))
    assert environment(repository)["services"]["web"]["commit"] == {"header": "X-Commit"}


# The repository.


POSTGRES = (
    'datasource db {\n  url = "postgresql://h/db" // no provider = "sqlite"\n  provider = "postgresql"\n}\n'
)
MYSQL = 'datasource db { provider = "mysql" }\n'


def schema(folder: Path, provider: str) -> None:
    (folder / "prisma").mkdir(parents=True)
    text = f'datasource db {{\n  provider = "{provider}"\n  url = env("DATABASE_URL")\n}}\n'
    (folder / "prisma" / "schema.prisma").write_text(text)


def test_prismas_migrations_are_checked_where_its_database_is_postgresql(
    serve: Serve, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema(repository / "website", "postgresql")
    checks = written(repository, serve({}).origin)

    assert '@pytest.mark.needs("database.url")' in checks
    assert "DATABASE_URL=\n" in (repository / ".env.example").read_text()
    assert workflow(repository)["env"]["DATABASE_URL"] == "${{ secrets.DATABASE_URL }}"
    assert "website/prisma is Prisma's" in capsys.readouterr().out


def test_another_database_is_said_and_not_checked(
    serve: Serve, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema(repository, "mysql")
    assert "migrations" not in written(repository, serve({}).origin)
    assert "Prisma's mysql is not checked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "prisma"),
    [
        ({"prisma/schema.prisma": POSTGRES.replace("{", '{ // provider = "sqlite"')}, "prisma"),
        ({"prisma/schema.prisma": '// datasource db { provider = "postgresql" }\n'}, ""),
        ({"prisma/schema/a.prisma": "model A {}", "prisma/schema/base.prisma": POSTGRES}, "prisma/schema"),
        ({"prisma/schema/base.prisma": POSTGRES, "prisma/migrations/0_init/migration.sql": ""}, "prisma"),
        ({"apps/a/prisma/schema.prisma": MYSQL, "apps/b/prisma/schema.prisma": POSTGRES}, "apps/b/prisma"),
        ({"packages/backend/db/prisma/schema.prisma": POSTGRES}, "packages/backend/db/prisma"),
        ({"node_modules/x/prisma/schema.prisma": POSTGRES}, ""),
    ],
)
def test_the_schema_of_prisma_is_found_in_each_of_its_forms(
    repository: Path, files: dict[str, str], prisma: str
) -> None:
    for name, text in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)
    found = repository_of(repository)
    assert (found.prisma, found.other_database) == (prisma, "")


def test_a_page_that_is_a_colour_alone_is_the_health_of_rails(serve: Serve, repository: Path) -> None:
    page = "<!DOCTYPE html><html><body style='background-color: green'></body></html>"
    assert '"/up"' in written(repository, serve({"/up": page}).origin)


def test_a_page_about_health_is_no_health(serve: Serve, repository: Path) -> None:
    page = "<html><title>Health</title><body>Ten recipes for winter</body></html>"
    assert '"/health"' not in written(repository, serve({"/health": page}).origin)


def test_a_workflow_that_exists_is_left_as_it_is(
    serve: Serve, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = repository / ".github" / "workflows" / "verify.yml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("name: theirs\n")
    (theirs.parent / "release.yml").write_text("name: Deploy to production\n")
    written(repository, serve({}).origin)

    said = capsys.readouterr().out
    assert theirs.read_text() == "name: theirs\n"
    assert ".github/workflows/verify.yml is there already and was left as it is" in said
    assert ".github/workflows/release.yml speaks of deployments" in said


def test_in_a_folder_of_a_repository_the_workflow_still_goes_where_github_looks(
    serve: Serve, repository: Path
) -> None:
    (repository / "render.yaml").write_text("services: []\n")
    (repository / "pyproject.toml").write_text("[project]\n")
    written(repository / "ops" / "verify", serve({}).origin)

    assert workflow(repository)["defaults"] == {"run": {"working-directory": "ops/verify"}}
    assert not (repository / "ops" / "verify" / ".github").exists()
    assert (repository / "pyproject.toml").read_text() == "[project]\n"
    assert "[render]" in (repository / "ops" / "verify" / "environments" / "prod.toml").read_text()


def test_an_application_in_the_same_folder_is_told_to_give_us_one_of_our_own(
    serve: Serve, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "pyproject.toml").write_text("[project]\n")
    assert main(["--url", serve({}).origin, "--folder", str(repository), "--no-plan"]) == 2
    assert "pyproject.toml exists already" in (said := capsys.readouterr().err)
    assert "--folder verify" in said


def test_a_gitignore_without_our_secrets_is_pointed_out(
    serve: Serve, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".gitignore").write_text("node_modules/\n")
    options = ("--sign-in", "json", "--user", "ann")
    written(repository, serve({}).origin, options=options)
    assert "add .env to .gitignore" in capsys.readouterr().out
    assert (repository / ".gitignore").read_text() == "node_modules/\n"


# TLS.


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], ssl.SSLContext]:
    authority = trustme.CA()
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    def context(days: float) -> ssl.SSLContext:
        end = datetime.now(UTC) + timedelta(days=days, hours=1)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", not_after=end).configure_cert(made)
        return made

    return context


@pytest.mark.parametrize(("days", "warned"), [(10, True), (90, False)])
def test_a_certificate_that_ends_soon_is_said(
    days: float,
    warned: bool,  # noqa: FBT001
    tls: Callable[[float], ssl.SSLContext],
    serve: Serve,
    repository: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checks = written(repository, serve({}, tls=tls(days)).origin)

    said = capsys.readouterr().out
    assert "library.certificate_lasts" in checks
    assert f"certificate valid for {days} more days" in said
    assert ("the certificate of web ends in 10 days: renew it" in said) is warned


# Its size and form.


def test_a_mistake_in_the_runbook_is_told_with_its_line(serve: Serve, repository: Path) -> None:
    written(repository, serve({}).origin)
    path = repository / "runbook.toml"
    path.write_text(
        path.read_text().replace('"web runs the commit of --commit", impact', '"web runs", impcat')
    )
    line = next(n for n, text in enumerate(path.read_text().splitlines(), start=1) if "impcat" in text)
    with pytest.raises(ConfigurationError, match=f"line {line}, .*impcat"):
        load_runbook(path)


def test_the_whole_project_is_short(serve: Serve, repository: Path) -> None:
    answers = {"/health": {"status": "ok"}, "/openapi.json": OPENAPI, **SAFE}
    options = ("--sign-in", "json", "--user", "ann")
    written(repository, serve(answers, headers={"X-Commit": COMMIT}).origin, options=options)
    files = [path for path in repository.rglob("*") if path.is_file()]
    lines = {path.name: len(path.read_text().splitlines()) for path in files}
    assert sum(lines.values()) <= 90, lines


@pytest.mark.parametrize("within", [".", "ops/verify"])
@pytest.mark.parametrize("headers", [{}, {"X-Commit": COMMIT}], ids=["no-commit", "commit"])
def test_the_workflow_is_of_githubs_form(
    within: str, headers: Mapping[str, str], serve: Serve, repository: Path
) -> None:
    options = ("--sign-in", "json", "--user", "ann")
    written(repository / within, serve({}, headers=headers).origin, options=options)
    path = repository / ".github" / "workflows" / "verify.yml"
    check = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        str(path),
    ]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
