"""`history --serve`: the page and the reports that it links to, and nothing else, for whoever only reads."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kamiyo_verify.cli import serve_options
from kamiyo_verify.cli.documents import command, serving
from kamiyo_verify.cli.documents.history import history_page
from kamiyo_verify.cli.documents.serving import FreshPage, create_app
from kamiyo_verify.cli.read_only_server import HEADERS
from kamiyo_verify.ledger.database import LedgerUnavailable
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.webhook.connections import Limits, bounded
from tests.support.pages_project import filled_project, go_there
from tests.support.recorded_runs import recorded
from tests.support.sandbox_process import request, wait_until
from tests.support.serving import serving as running

ROOT = Path(__file__).parents[4]
SECRET = "not for readers"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = filled_project(tmp_path / "project")
    for report in (folder / "reports" / "staging").glob("*/report.html"):
        report.write_text(f"<p>report {report.parent.name}</p>")
        (report.parent / "verdict.json").write_text(SECRET)
    (folder / ".env").write_text(f"SOMETHING={SECRET}")
    go_there(folder, monkeypatch)
    return folder


def page_of(project: Path) -> FreshPage:
    return FreshPage(lambda: history_page(project, "staging", most=100, within=project / "reports"))


@pytest.fixture
def origin(project: Path) -> Iterator[str]:
    app = create_app(page_of(project), hosts={"127.0.0.1"}, say=lambda _: None)
    with running(app, bounded(Limits())) as origin:
        yield origin


def raw(origin: str, sent: bytes) -> bytes:
    parts = urlsplit(origin)
    assert parts.port
    with socket.create_connection(("127.0.0.1", parts.port), 5) as connection:
        connection.sendall(sent)
        found = b""
        while piece := connection.recv(65_536):
            found += piece
    return found


def test_the_page_and_its_reports_are_served(origin: str) -> None:
    page = request("GET", f"{origin}/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script" not in page.headers["content-security-policy"]
    links = {link for link in re.findall(r'href="([^"#]+)"', page.text) if not link.startswith("http")}
    assert links
    for link in links:
        report = request("GET", f"{origin}/{link}")
        assert (report.status_code, report.text[:9]) == (200, "<p>report")
        assert "frame-ancestors 'none'" in report.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/staging/bad/report.html", "/nothing", "/%00", "/staging/"])
def test_every_answer_has_the_security_headers_and_head_has_no_body(origin: str, path: str) -> None:
    whole, head = request("GET", f"{origin}{path}"), request("HEAD", f"{origin}{path}")
    assert whole.status_code == head.status_code
    assert head.content == b""
    for answer in (whole, head):
        assert HEADERS.items() <= {name.title(): value for name, value in answer.headers.items()}.items()
        assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/staging/bad/report.html"])
def test_nothing_but_reading_is_allowed(origin: str, method: str, path: str) -> None:
    answer = request(method, f"{origin}{path}")
    assert answer.status_code == 405
    assert HEADERS["X-Frame-Options"] == answer.headers["x-frame-options"]


@pytest.mark.parametrize(
    "target",
    [
        "/.env",
        "/../.env",
        "/staging/../../.env",
        "/..%2f.env",
        "/%2e%2e/.env",
        "/staging/..%2f..%2f.env",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/staging/bad/verdict.json",
        "/staging/bad/report.html/../verdict.json",
        "/staging/bad/report.html%00.txt",
        "/staging/bad/./report.html",
        "/ledger.db",
        "/index.html",
        "/C:\\windows\\win.ini",
        "/staging\\bad\\report.html",
        "http://127.0.0.1/../.env",
    ],
)
def test_no_request_becomes_a_path(origin: str, target: str) -> None:
    host = urlsplit(origin).netloc
    answer = raw(origin, f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer[:80]
    assert SECRET.encode() not in answer
    assert b"root:" not in answer


def test_a_report_that_lies_elsewhere_is_neither_linked_nor_served(project: Path) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (outside / "report.html").write_text(SECRET)
    report = project / "reports" / "staging" / "bad" / "report.html"
    report.unlink()
    report.symlink_to(outside / "report.html")
    app = create_app(page_of(project), hosts={"127.0.0.1"}, say=lambda _: None)
    with running(app, bounded(Limits())) as origin:
        assert "staging/bad/report.html" not in request("GET", f"{origin}/").text
        assert request("GET", f"{origin}/staging/bad/report.html").status_code == 404
        assert "staging/0/report.html" in request("GET", f"{origin}/").text


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.example.com", "", "localhost.evil:80"])
def test_another_websites_name_gets_nothing(origin: str, host: str) -> None:
    answer = raw(origin, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400")), answer[:80]


def test_a_ledger_that_is_away_is_told_and_comes_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "FRESH_S", 0.0)
    said: list[str] = []
    away = [True]

    def make() -> object:
        if away[0]:
            raise LedgerUnavailable("postgresql://ledger:***@db.internal: it did not answer within 60 s")
        return history_page(project, "staging", most=100)

    app = create_app(FreshPage(make), say=said.append)  # type: ignore[arg-type]
    with running(app, bounded(Limits())) as origin:
        answer = request("GET", f"{origin}/")
        assert (answer.status_code, answer.text) == (503, "the ledger cannot be read now\n")
        assert "did not answer" in said[0]
        away[0] = False
        assert request("GET", f"{origin}/").status_code == 200


def test_the_page_is_made_once_for_many_requests(project: Path) -> None:
    made: list[int] = []

    def make() -> object:
        made.append(1)
        return history_page(project, "staging", most=100)

    with running(create_app(FreshPage(make), say=lambda _: None), bounded(Limits())) as origin:  # type: ignore[arg-type]
        for _ in range(5):
            assert request("GET", f"{origin}/").status_code == 200
    assert made == [1]


def test_idle_connections_keep_no_reader_out(project: Path) -> None:
    app = create_app(page_of(project), hosts={"127.0.0.1"}, say=lambda _: None)
    with running(app, bounded(Limits(at_once=4, per_address=4, head_s=30))) as origin:
        port = urlsplit(origin).port
        assert port
        idle = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(20)]
        try:
            assert request("GET", f"{origin}/").status_code == 200
        finally:
            for connection in idle:
                connection.close()


@pytest.mark.parametrize("last", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_stopped(project: Path, tmp_path: Path, last: signal.Signals) -> None:
    words = [
        sys.executable,
        "-m",
        "kamiyo_verify.cli",
        "history",
        "--env",
        "staging",
        "--serve",
        "--port",
        "0",
    ]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=project, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert found, said
        answer = request("GET", found[0])
        assert answer.status_code == 200
        assert "server" not in answer.headers
        with Store.opened(f"sqlite:///{project}/reports/ledger.db") as store:
            store.add(recorded(tmp_path, run="later", commit="1a7e1a7e" * 5))
        process.send_signal(last)
        _, err = process.communicate(timeout=20)
    assert "Traceback" not in err
    assert process.returncode in {0, 130, -last}
    assert not (project / "reports" / "index.html").exists()


def test_an_address_that_is_taken_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert command.main(["history", "--env", "staging", "--serve", "--port", port]) == 2
    assert capsys.readouterr().err == f"cannot listen on 127.0.0.1, port {port}: Address already in use\n"


def test_without_the_packages_one_line_says_how_to_get_them(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve_options, "find_spec", lambda _: None)
    assert command.main(["history", "--serve"]) == 2
    told = "starlette and uvicorn not installed; --serve needs: pip install 'kamiyo-verify[receiver]'\n"
    assert capsys.readouterr().err == told


def test_the_history_page_is_made_anew_when_it_is_old(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "FRESH_S", 0.0)
    page = page_of(project)
    before = page.get()
    with Store.opened(f"sqlite:///{project}/reports/ledger.db") as store:
        store.add(recorded(project / "reports" / "staging" / "new", run="new", commit="1a7e1a7e" * 5))
    wait_until(lambda: "1a7e1a7" in page.get().html)
    assert "1a7e1a7" not in before.html
