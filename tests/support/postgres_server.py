"""A real PostgreSQL for tests that need one of their own: `python -m tests.support.postgres_server`.

It prints its address when it is ready, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.guard import Guard

ROOT = Path(__file__).parents[2]


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a running server's superuser; the server ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "PostgreSQL ended before it was ready"
        yield url


async def _serve(folder: Path, guard: Guard) -> None:
    from sandbox.postgres import Postgres  # noqa: PLC0415 - the guard forks before anything heavy is there

    server = Postgres(folder, guard)
    await server.start()
    sys.stdout.write(server.superuser_dsn("postgres") + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()
    guard.finish(server.reap)


if __name__ == "__main__":
    temporary = Path(tempfile.mkdtemp(prefix="ledger-postgres-"))
    asyncio.run(_serve(temporary, Guard(temporary)))
