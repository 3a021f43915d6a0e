"""Connection pool of one origin, with its trusted certificates and its proxy."""

from __future__ import annotations

import os
import ssl
from functools import cache
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from kamiyo_verify.http.problems import on_this_machine
from kamiyo_verify.http.wire import Backend
from kamiyo_verify.model.loopback import is_loopback
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

# Shorter than the 5 s after which uvicorn and Node close an idle connection, so that we rarely use one that
# is being closed.
_KEEP_ALIVE_S = 3.0

# Callers bound their own number of threads. A request that waited for a connection here would wait outside
# its deadline, and its wait would count as the server's.
_UNBOUNDED = None


def open_pool(origin: str) -> httpcore2.ConnectionPool:
    """Open a pool for one origin, through the proxy that the process environment names for it.

    Raises:
        NoAnswer: the trusted certificates cannot be read, or the proxy cannot be used.
    """
    trusted = trusted_certificates(origin) if origin.startswith("https:") else None
    address = proxy_for(origin)
    if address is None:
        return httpcore2.ConnectionPool(
            ssl_context=trusted,
            max_connections=_UNBOUNDED,
            keepalive_expiry=_KEEP_ALIVE_S,
            network_backend=Backend(),
        )
    try:
        proxy = httpx2.Proxy(address)
        if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
            raise ValueError("httpcore2 speaks SOCKS only with socksio")  # noqa: TRY301 - one way out for all
        return httpcore2.ConnectionPool(
            ssl_context=trusted,
            max_connections=_UNBOUNDED,
            proxy=httpcore2.Proxy(str(proxy.url), auth=proxy.raw_auth, ssl_context=None),
            keepalive_expiry=_KEEP_ALIVE_S,
            network_backend=Backend(to_proxy=True),
        )
    except (ValueError, httpx2.InvalidURL):
        # `from None`: the exception may quote the proxy's password.
        raise NoAnswer(
            NoAnswerKind.LOCAL,
            f"{origin} {on_this_machine('the proxy that its variables name cannot be used')}",
            origin,
        ) from None


def proxy_for(origin: str) -> str | None:
    """The proxy for an http(s) origin, by the variables and settings that the standard library reads.

    None for an origin on this machine, such as a platform that was launched here.
    """
    if is_loopback(origin):
        return None
    parts = urlsplit(origin)
    proxies = getproxies()
    address = proxies.get(parts.scheme) or proxies.get("all")
    if not address or proxy_bypass(parts.netloc):
        return None
    return address if "://" in address else f"http://{address}"


def trusted_certificates(origin: str) -> ssl.SSLContext:
    """The trusted certificates: `SSL_CERT_FILE` or `SSL_CERT_DIR` if set, else the certifi bundle.

    Raises:
        NoAnswer: they cannot be read.
    """
    try:
        return _context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as problem:
        why = on_this_machine("SSL_CERT_FILE or SSL_CERT_DIR names no readable certificates")
        raise NoAnswer(NoAnswerKind.LOCAL, f"{origin} {why}", origin) from problem


@cache
def _context(file: str | None, folder: str | None) -> ssl.SSLContext:  # noqa: ARG001 - they key the cache
    """Create one context for each setting: reading a bundle takes longer than many requests."""
    return httpx2.create_ssl_context()
