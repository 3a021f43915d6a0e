"""A stand-in of the Notes platform: two services, and one that is not ours, until standard input closes."""

import argparse
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = {
    "api-down": "/up answers 500",
    "notes-gone": "no note is listed",
    "website-blank": "the page is empty",
}


def main() -> None:
    """Serve, say where, and end when nobody listens any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fault", action="append", default=[], choices=FAULTS)
    # The run tells these too: the commit of --commit, and the phase.
    parser.add_argument("--commit", default="")
    parser.add_argument("--scene", default="")
    faults = parser.parse_args().fault
    up = (500, "text/plain", "no") if "api-down" in faults else (200, "text/plain", "up")
    notes = [] if "notes-gone" in faults else [{"id": 1, "text": "buy milk"}]
    page = "" if "website-blank" in faults else "<!doctype html><title>Notes</title><h1>Notes</h1>"
    api = served({"/up": up, "/notes": (200, "application/json", json.dumps(notes))})
    ready = {
        "settings": {
            "services.api.url": api,
            "services.frontend.url": served({"/": (200, "text/html", page)}),
        },
        "credentials": {"NOTES_SANDBOX_KEY": "any-key-will-do"},
        "control_url": served({"/": (200, "text/plain", "here")}),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


def served(answers: dict[str, tuple[int, str, str]]) -> str:
    """Where these answers are given from now on."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, text = answers.get(self.path.partition("?")[0], (404, "text/plain", "no such page"))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


if __name__ == "__main__":
    main()
