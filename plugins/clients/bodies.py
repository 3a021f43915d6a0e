"""Bodies, read and unpacked within a bound, whatever the server sends."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from plugins.clients.wire import Trip

LONGEST_BODY = 1024 * 1024
"""Bytes of a body that are read, and bytes that are kept after unpacking."""

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})


class UnreadableBody(Exception):
    """The body cannot be unpacked; the message is the end of a sentence that begins with who sent it."""


def read_body(chunks: Iterable[bytes], trip: Trip) -> tuple[bytes, bool]:
    """The first `LONGEST_BODY` bytes, and whether there were more.

    Raises:
        TimeoutError: the trip's time was up, between two chunks.
        httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError: from the connection.
    """
    body = bytearray()
    for chunk in chunks:
        trip.left()
        body += chunk
        if len(body) > LONGEST_BODY:
            return bytes(body[:LONGEST_BODY]), True
    return bytes(body), False


def unpack(body: bytes, encoding: str, *, cut: bool) -> tuple[bytes, bool]:
    """What the body is without its Content-Encoding, at most `LONGEST_BODY` bytes, and whether there is more.

    We ask for no encoding at all, but a server may not listen.

    Args:
        body: as received.
        encoding: the header's value.
        cut: the body was cut off by us.

    Raises:
        UnreadableBody: the encoding is unknown, or the body is not what it says.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"} or not body:
        return body, cut
    if name not in _PACKED:
        raise UnreadableBody("packed its answer in a way that was not asked for")
    try:
        unpacker = zlib.decompressobj(_window_bits(body, name))
        plain = unpacker.decompress(body, LONGEST_BODY)
    except zlib.error:
        raise UnreadableBody(f"sent a body that is not the {name} that it says") from None
    more = bool(unpacker.unconsumed_tail) or (not unpacker.eof and len(plain) >= LONGEST_BODY)
    if not unpacker.eof and not more and not cut:
        raise UnreadableBody(f"broke off in the middle of a {name} body")
    return plain, more or cut


def _window_bits(body: bytes, name: str) -> int:
    """Some servers send "deflate" without zlib's header (RFC 9110, 8.4.1.2)."""
    has_header = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return -zlib.MAX_WBITS if name == "deflate" and not has_header else _GZIP_OR_ZLIB
