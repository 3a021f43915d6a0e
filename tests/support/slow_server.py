"""A server whose every answer takes its time; it counts what it is asked, and how much of it at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class SlowServer:
    """What the server does, and what it has seen.

    Attributes:
        origin: its address.
        answer_s: how long each answer takes.
        statuses: of the paths that do not answer 200.
        asked: each request as "METHOD path", in the order received.
        most: the most requests that were under way at the same time.
    """

    origin: str = ""
    answer_s: float = 0.0
    statuses: Mapping[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    most: int = 0
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: threading.Event = field(default_factory=threading.Event)

    def begun(self, request: str) -> None:
        """Note a request."""
        with self._lock:
            self.asked.append(request)
            self._open += 1
            self.most = max(self.most, self._open)

    def ended(self) -> None:
        """Note its end."""
        with self._lock:
            self._open -= 1


@contextmanager
def slow_server(answer_s: float, statuses: Mapping[str, int] | None = None) -> Iterator[SlowServer]:
    """Serve on 127.0.0.1."""
    seen = SlowServer(answer_s=answer_s, statuses=statuses or {})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.begun(f"{self.command} {self.path}")
            seen.stopped.wait(seen.answer_s)  # the slowness is what is tested
            seen.ended()
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b'{"ok": true}'
            self.send_response(seen.statuses.get(self.path, 200))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    seen.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        seen.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
