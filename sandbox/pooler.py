"""PgBouncer in transaction mode before the sandbox's database, as hosts put it there."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from sandbox.guard import Guard
from sandbox.unprivileged import stand_in

PARAMETERS = "pgbouncer=true&connection_limit=1"
"""What Prisma's documentation adds to the address of a pooler."""

_READY_WITHIN_S = 10.0
_TICK_S = 0.02


class PoolerFailed(RuntimeError):
    """PgBouncer is not installed, or did not start."""


class Pooler:
    """One PgBouncer on a free port of 127.0.0.1; the guard ends it with the sandbox."""

    def __init__(self, folder: Path, guard: Guard) -> None:
        self._folder = folder / "pooler"
        self._guard = guard

    async def start(self, *, database_port: int, user: str, password: str) -> str:
        """Start it for one user; return the address of the database by way of it.

        Raises:
            PoolerFailed: it is not installed, ended, or is not ready within 10 s.
        """
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if program is None:
            raise PoolerFailed("no pgbouncer on this machine; Debian has it: apt-get install pgbouncer")
        port = _free_port()
        self._write(port, database_port, user, password)
        account = stand_in()
        if account:
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
        process = subprocess.Popen(  # noqa: S603 - a program of the system
            [program, "--quiet", str(self._folder / "pgbouncer.ini")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
        )
        self._guard.adopt(process.pid)
        deadline = time.monotonic() + _READY_WITHIN_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise PoolerFailed(f"PgBouncer did not start: {self._log_end()}")
            await asyncio.sleep(_TICK_S)
        return f"postgresql://{user}:{password}@127.0.0.1:{port}/kamiyo?{PARAMETERS}"

    def _write(self, port: int, database_port: int, user: str, password: str) -> None:
        self._folder.mkdir(mode=0o700)
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": self._folder / "users.txt",
            "logfile": self._folder / "pgbouncer.log",
            "pool_mode": "transaction",
            "default_pool_size": 2,
            "server_login_retry": 1,
            "query_wait_timeout": 5,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        (self._folder / "users.txt").write_text(f'"{user}" "{password}"\n')
        (self._folder / "pgbouncer.ini").write_text(
            f"[databases]\nkamiyo = host=127.0.0.1 port={database_port}\n\n[pgbouncer]\n"
            + "\n".join(lines)
            + "\n"
        )

    def _log_end(self) -> str:
        log = self._folder / "pgbouncer.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return " · ".join(lines[-3:]) or "its log is empty"


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
