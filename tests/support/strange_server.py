"""A small platform that is not Kamiyo: a sign-in, and rows in SQLite, which can be locked while it runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

PASSWORD = "open-sesame-1"


@contextmanager
def strange_server(database: Path, *, commit: str = "") -> Iterator[str]:
    """Serve until the block ends; yields the origin. Reads fail with 500 while the database is locked."""
    with closing(sqlite3.connect(database)) as made, made:
        made.execute("CREATE TABLE notes (text)")
        made.executemany("INSERT INTO notes VALUES (?)", [(f"note {n}",) for n in range(5)])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/health":
                return self._say(200, {"status": "ok"})
            if self.path != "/":
                return self._say(404, {"error": "not found"})
            return self._rows()

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            right = self.path == "/login" and sent == {"username": "ann", "password": PASSWORD}
            return self._say(200 if right else 401, {"session": "s"} if right else {"error": "no"})

        def _rows(self) -> None:
            try:
                with closing(sqlite3.connect(database, timeout=0.1)) as asked:
                    rows = [text for (text,) in asked.execute("SELECT text FROM notes")]
            except sqlite3.DatabaseError:
                return self._say(500, {"error": "internal"})
            return self._say(200, {"notes": rows})

        def _say(self, status: int, data: dict[str, Any]) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if commit:
                self.send_header("X-Commit", commit)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the database's exclusive lock for the block."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as held:
        held.execute("BEGIN EXCLUSIVE")
        yield
        held.execute("ROLLBACK")
