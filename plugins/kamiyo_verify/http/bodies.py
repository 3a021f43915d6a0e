"""Read and decompress response bodies within a size limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from urllib.parse import urlsplit

from kamiyo_verify.http.deadline import RequestDeadline
from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

LONGEST_BODY = 1024 * 1024
"""Most bytes of a body that are read, and most that are kept after decompression."""

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})


class UnreadableBody(Exception):
    """The body cannot be decompressed; the message is a predicate whose subject is the sender."""


def read_body(chunks: Iterable[bytes], deadline: RequestDeadline) -> tuple[bytes, bool]:
    """Read the first `LONGEST_BODY` bytes; also return whether there were more.

    Raises:
        TimeoutError: the deadline passed between two chunks.
        httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError: from the connection.
    """
    body = bytearray()
    for chunk in chunks:
        deadline.left()
        body += chunk
        if len(body) > LONGEST_BODY:
            return bytes(body[:LONGEST_BODY]), True
    return bytes(body), False


def unpack(body: bytes, encoding: str, *, cut: bool) -> tuple[bytes, bool]:
    """Undo the Content-Encoding; return at most `LONGEST_BODY` bytes and whether there are more.

    Requests accept no encoding, but a server may ignore that. A body in an encoding that is not known here
    stays as it is: see `require_unpacked`.

    Args:
        body: as received.
        encoding: the header's value.
        cut: we truncated the body.

    Raises:
        UnreadableBody: the body does not match its encoding.
    """
    name = encoding.strip().lower()
    if name not in _PACKED or not body:
        return body, cut
    try:
        unpacker = zlib.decompressobj(_window_bits(body, name))
        plain = unpacker.decompress(body, LONGEST_BODY)
    except zlib.error:
        raise UnreadableBody(f"sent a body that is not the {name} that it says") from None
    more = bool(unpacker.unconsumed_tail) or (not unpacker.eof and len(plain) >= LONGEST_BODY)
    if not unpacker.eof and not more and not cut:
        raise UnreadableBody(f"broke off in the middle of a {name} body")
    return plain, more or cut


def require_unpacked(body: bytes, encoding: str, url: str) -> None:
    """Return if a body is plain text, or in an encoding that `unpack` undoes.

    Browsers read encodings that are not known here, such as "br": what users see is not known. A name that
    is no encoding, such as "UTF-8", leaves the body plain.

    Raises:
        NoAnswer: UNUSABLE, as the body cannot be read here.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"} | _PACKED:
        return
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        parts = urlsplit(url)
        origin, shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", readable(name, longest=40)
        raise NoAnswer(
            NoAnswerKind.UNUSABLE,
            f"{origin}{parts.path or '/'} answered in the encoding {shown}, which was not asked for and"
            " cannot be read here: whether a browser can is not known",
            origin,
        ) from None


def _window_bits(body: bytes, name: str) -> int:
    """Some servers send "deflate" without zlib's header (RFC 9110, 8.4.1.2)."""
    has_header = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return -zlib.MAX_WBITS if name == "deflate" and not has_header else _GZIP_OR_ZLIB
