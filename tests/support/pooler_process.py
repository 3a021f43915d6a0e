"""A real PgBouncer before a real PostgreSQL, for the length of a block; skips where the machine has none."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from psycopg.conninfo import conninfo_to_dict

from sandbox.unprivileged import temporary_folder

_READY_WITHIN_S = 10.0


@contextmanager
def pooler(server: str, *, mode: str = "transaction", authority: trustme.CA | None = None) -> Iterator[str]:
    """The address of a pooler that leads to the server.

    Args:
        server: address of the PostgreSQL behind it.
        mode: its pool_mode.
        authority: where given, the pooler has a certificate of it for 127.0.0.1, and demands TLS.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("no pgbouncer on this machine (apt-get install pgbouncer)")
    folder = temporary_folder()
    behind = conninfo_to_dict(server)
    port = _free_port()
    users = folder / "users.txt"
    users.write_text(f'"{behind["user"]}" "{behind["password"]}"\n')
    lines = [
        "[databases]",
        f"{behind['dbname']} = host={behind['host']} port={behind['port']}",
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        f"listen_port = {port}",
        "unix_socket_dir =",
        "auth_type = scram-sha-256",
        f"auth_file = {users}",
        f"pool_mode = {mode}",
        "default_pool_size = 1",
    ]
    if authority is not None:
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(folder / "key.pem")
        for part in issued.cert_chain_pems:
            part.write_to_path(folder / "cert.pem", append=True)
        lines += [
            "client_tls_sslmode = require",
            f"client_tls_key_file = {folder}/key.pem",
            f"client_tls_cert_file = {folder}/cert.pem",
        ]
    (folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if account is not None:
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
    log = (folder / "log.txt").open("w")
    with subprocess.Popen(
        [program, str(folder / "pgbouncer.ini")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        user=account.pw_uid if account else None,
    ) as process:
        try:
            _await(port, process, folder / "log.txt")
            yield f"postgresql://{behind['user']}:{behind['password']}@127.0.0.1:{port}/{behind['dbname']}"
        finally:
            process.terminate()
            log.close()
            shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"pgbouncer did not listen: {log.read_text()}")
