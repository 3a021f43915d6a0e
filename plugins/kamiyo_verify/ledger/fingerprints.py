"""Fingerprints of the credentials that a run used, and how each of them fared.

A fingerprint is a keyed hash (HMAC-SHA256) of a credential's value. It shows that two runs used the same
value, and nothing of the value. Its key is made once and stays in the ledger's folder.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from kamiyo_verify.model.credentials import CredentialUse
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.tables import Credential

KEY_FILE = "fingerprint.key"
_KEY_BYTES = 32
_DIGITS = 32
"""Hexadecimal digits of a fingerprint: two values share one by chance in no practical number of runs."""


def fingerprint_key(folder: Path) -> bytes:
    """The key of a ledger's folder, made on first use and readable by its owner alone.

    Raises:
        OSError: it cannot be read or written; the folder is never made: the ledger is away, and says so.
    """
    path = folder / KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    return path.read_bytes()


def fingerprint(key: bytes, variable: str, value: str) -> str:
    """The fingerprint of a value, hexadecimal; the same value of another variable has another one."""
    text = f"{variable}\0{value.strip()}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:_DIGITS]


def credential_uses(
    credentials: Iterable[Credential], results: Iterable[Result], key: bytes
) -> tuple[CredentialUse, ...]:
    """How each credential fared that some request of these results carried, by the variable's name."""
    values = {one.name: one.reveal() for one in credentials if one.present}
    accepted: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for result in results:
        for sent in result.exchanges:
            if sent.credential in values:
                accepted[sent.credential] += sent.accepted is True
                refused[sent.credential] += sent.accepted is False
    return tuple(
        CredentialUse(
            variable=name,
            fingerprint=fingerprint(key, name, values[name]),
            accepted=accepted[name],
            refused=refused[name],
        )
        for name in sorted(accepted.keys() | refused.keys())
    )
