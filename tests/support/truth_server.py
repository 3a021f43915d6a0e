"""A server whose response times are known: it draws each by a law, and writes down what it really took.

`python -m tests.support.truth_server lognormal` prints its port and ends when its standard input does. It is
a process of its own, so that it shares no interpreter lock with those who measure it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

STALL_AT_S = 0.5
"""After the first request."""

STALL_S = 2.0

LAWS: dict[str, Callable[[Random], float]] = {
    "lognormal": lambda random: random.lognormvariate(math.log(0.06), 0.5),
    "bimodal": lambda random: (
        random.uniform(0.03, 0.04) if random.random() < 0.8 else random.uniform(0.15, 0.2)
    ),
    "stall": lambda random: random.uniform(0.02, 0.03),
}
"""Seconds that an answer takes. "stall" besides does nothing at all for two seconds."""


class TruthServer:
    """Answers by a law, over standing connections."""

    def __init__(self, law: str, seed: int = 1) -> None:
        self._law = law
        self._random = Random(seed)  # noqa: S311 - chance, not secrecy
        self._first: float | None = None
        self._served: list[tuple[str, float, float]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                arrived = time.monotonic()
                path = head.split(b" ", 2)[1].decode()
                body = self._describe(path) if path in {"/truth", "/reset"} else b"{}"
                if path not in {"/truth", "/reset"}:
                    self._first = self._first or arrived
                    await asyncio.sleep(self._ends(arrived) - time.monotonic())
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(body), body)
                )
                if path not in {"/truth", "/reset"}:
                    self._served.append((path, arrived, time.monotonic()))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _ends(self, arrived: float) -> float:
        ends = arrived + LAWS[self._law](self._random)
        if self._law == "stall" and self._first is not None:
            begins = self._first + STALL_AT_S
            if arrived < begins + STALL_S and ends > begins:
                ends += begins + STALL_S - max(arrived, begins)
        return ends

    def _describe(self, path: str) -> bytes:
        if path == "/reset":
            self._first, self._served = None, []
        return json.dumps(self._served).encode()


@dataclass(frozen=True, slots=True)
class Served:
    """One request as the server saw it; moments by `time.monotonic()`."""

    path: str
    arrived: float
    ended: float

    @property
    def took_ms(self) -> float:
        return (self.ended - self.arrived) * 1000


@dataclass(frozen=True, slots=True)
class Truth:
    """A server that runs."""

    origin: str

    def served(self) -> list[Served]:
        """Every request since the last reset, by its arrival."""
        found = [Served(*row) for row in json.loads(self._request("/truth"))]
        return sorted(found, key=lambda one: one.arrived)

    def reset(self) -> None:
        """Forget them; a stall comes again."""
        self._request("/reset")

    def _request(self, path: str) -> bytes:
        with urllib.request.urlopen(self.origin + path, timeout=10) as answer:  # noqa: S310 - our own server
            data: bytes = answer.read()
        return data


@contextmanager
def true_server(law: str) -> Iterator[Truth]:
    """A server of that law, in a process of its own."""
    command = [sys.executable, "-m", "tests.support.truth_server", law]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Truth(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.stdin.close()


async def _run(law: str) -> None:
    server = await asyncio.start_server(TruthServer(law).serve, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("law", choices=LAWS)
    asyncio.run(_run(parser.parse_args().law))
