"""A certificate authority of the sandbox's own, for TLS on 127.0.0.1."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of 127.0.0.1 with its key, and the authority that issued it.

    Attributes:
        chain, key: PEM files for a server.
        authority: the authority's certificate, a PEM file for clients, such as for `SSL_CERT_FILE`.
    """

    chain: Path
    key: Path
    authority: Path

    def trusting(self) -> ssl.SSLContext:
        """Return the settings of a client that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.authority))


def issue(folder: Path, authority: Path) -> Certificate:
    """Issue a certificate; the authority signs no other.

    Raises:
        OSError: a file cannot be written.
    """
    signer = trustme.CA(organization_name="Kamiyo sandbox")
    issued = signer.issue_cert("127.0.0.1")
    certificate = Certificate(folder / "tls-chain.pem", folder / "tls-key.pem", authority)
    certificate.key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(str(certificate.key))
    certificate.chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    signer.cert_pem.write_to_path(str(authority))
    return certificate
