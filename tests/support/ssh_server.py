"""A real sshd on a loopback port, with keys of its own; it takes nothing from the machine's configuration."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.sandbox_process import wait_until

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
NEEDS_SSHD = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None, reason="needs sshd and ssh: apt-get install openssh-server"
)


@dataclass(frozen=True)
class SshServer:
    """A server that runs.

    Attributes:
        config: for ssh, with the hosts `place`, `stranger`, whose key is another, and `closed`.
        log: what the server reports.
    """

    config: Path
    log: Path


def _key(path: Path) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _public(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Run a server for the length of the block; its files are in the folder."""
    folder.mkdir(mode=0o700)
    host, user, other = (_key(folder / name) for name in ("host", "user", "other"))
    shutil.copy(user.with_suffix(".pub"), folder / "authorized")
    port = free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where the service's own start makes it
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized\nPasswordAuthentication no\n"
        "PermitRootLogin prohibit-password\n"
    )
    (folder / "known").write_text(f"place {_public(host)}\nstranger {_public(other)}\n")
    shared = (
        f"  HostName 127.0.0.1\n  User {getpass.getuser()}\n  IdentityFile {user}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known\n  GlobalKnownHostsFile none\n  IdentityAgent none\n"
    )
    hosts = {"place": port, "stranger": port, "closed": free_port()}
    entries = [f"Host {name}\n{shared}  Port {at}\n  HostKeyAlias {name}\n" for name, at in hosts.items()]
    config = folder / "ssh_config"
    config.write_text("".join(entries))
    log = folder / "log"
    assert SSHD is not None
    with log.open("wb") as output:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=output)
    try:
        wait_until(lambda: process.poll() is not None or _answers(port))
        assert process.poll() is None, log.read_text()
        yield SshServer(config, log)
    finally:
        process.terminate()
        process.wait()
