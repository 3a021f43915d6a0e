"""Choose the TLS of a database connection, and what it verifies of the server's identity."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi

from kamiyo_verify.integrations.postgres.address import DatabaseAddress
from kamiyo_verify.model.words import DatabaseTls

# https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION, weakest first.
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_OWN_AUTHORITY = Path("~/.postgresql/root.crt")
"""Where libpq looks for an authority's certificate if no parameter names it."""

UNENCRYPTED = "not verified: the connection is not encrypted"
UNVERIFIED = "not verified: encrypted, but no known authority vouches for the certificate"
SOCKET = "a Unix socket of this machine"


@dataclass(frozen=True, slots=True)
class TlsAttempt:
    """One way to connect.

    Attributes:
        parameters: libpq's TLS parameters.
        identity: how the server's identity is verified if this succeeds, for the report.
        may_fall_back: if the certificate cannot be verified, the next attempt may be made.
    """

    parameters: Mapping[str, str]
    identity: str
    may_fall_back: bool = False


def attempts(address: DatabaseAddress, tls: DatabaseTls, *, production: bool) -> tuple[TlsAttempt, ...]:
    """The ways to connect, the safest first.

    Production requires TLS, whatever the address says, unless `tls` is INSECURE: without TLS the password
    would be readable in transit. The certificate is verified by the authority that the address names, else by
    libpq's own file, else by the public ones; it may stay unverified only if none of these is explicit.
    """
    if all(host.startswith(("/", "@")) for host, _ in address.hosts):
        return (TlsAttempt({"sslmode": "disable"}, SOCKET),)
    mode = address.parameters.get("sslmode", os.environ.get("PGSSLMODE", ""))
    mode = mode if mode in _MODES else ""
    authority = address.parameters.get("sslrootcert") or os.environ.get("PGSSLROOTCERT", "")
    if not production or tls is DatabaseTls.INSECURE:
        return (_as_written(mode or "prefer", authority),)
    if authority or mode in {"verify-ca", "verify-full"}:
        wanted = "verify-full" if authority == "system" or mode == "verify-full" else "verify-ca"
        return (_verified(wanted, authority or _default_authority()),)
    return (
        TlsAttempt(
            {"sslmode": "verify-full", "sslrootcert": _default_authority()},
            "verified: certificate and name",
            may_fall_back=True,
        ),
        TlsAttempt({"sslmode": "require", "sslrootcert": _NO_FILE}, UNVERIFIED),
    )


_NO_FILE = str(Path(os.devnull).parent / "no-such-authority")
"""If this file existed, libpq would treat "require" as "verify-ca"."""


def _as_written(mode: str, authority: str) -> TlsAttempt:
    if mode in {"verify-ca", "verify-full"}:
        return _verified(mode, authority or _default_authority())
    if mode == "require" and authority:
        return _verified("verify-ca", authority)
    return TlsAttempt({"sslmode": mode, "sslrootcert": authority or _NO_FILE}, UNVERIFIED)


def _verified(mode: str, authority: str) -> TlsAttempt:
    # libpq's "system" is a directory of psycopg's bundled OpenSSL, which this machine may not have.
    file = certifi.where() if authority == "system" else authority
    what = "certificate and name" if mode == "verify-full" else "certificate, but not that it is this name's"
    return TlsAttempt({"sslmode": mode, "sslrootcert": file}, f"verified: {what}")


def _default_authority() -> str:
    own = _OWN_AUTHORITY.expanduser()
    named = os.environ.get("SSL_CERT_FILE", "")
    return str(own) if own.is_file() else named if named and Path(named).is_file() else certifi.where()
