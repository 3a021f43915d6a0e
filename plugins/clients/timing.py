"""Where the time of one request goes, as `curl -w` tells it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import certifi
import pycurl

from plugins.clients.bodies import LONGEST_BODY
from plugins.clients.deadline import fairly, seconds_allowed
from plugins.clients.http import Record
from plugins.clients.pool import trusted_certificates
from plugins.clients.problems import certificate_trouble, socket_trouble
from plugins.clients.readable import masked_url
from plugins.clients.requests import USER_AGENT, sendable
from plugins.model.environment import Timeouts
from plugins.model.outcomes import NoAnswer, NoAnswerKind
from plugins.model.result import Exchange

_BY_CODE = {
    pycurl.E_COULDNT_RESOLVE_HOST: (NoAnswerKind.NAME, "cannot be found: its name does not resolve"),
    pycurl.E_COULDNT_RESOLVE_PROXY: (NoAnswerKind.UNREACHABLE, "cannot be reached: no proxy of that name"),
    pycurl.E_URL_MALFORMAT: (NoAnswerKind.UNUSABLE, "was not asked: that is no address"),
    pycurl.E_COULDNT_CONNECT: (NoAnswerKind.UNREACHABLE, "cannot be reached"),
    pycurl.E_SSL_CONNECT_ERROR: (NoAnswerKind.TLS, "breaks off the TLS handshake"),
    pycurl.E_SSL_CACERT_BADFILE: (NoAnswerKind.TLS, "was not asked: no readable certificates to trust"),
    pycurl.E_GOT_NOTHING: (NoAnswerKind.CUT, "closed the connection without an answer"),
    pycurl.E_PARTIAL_FILE: (NoAnswerKind.CUT, "broke off in the middle of its answer"),
    pycurl.E_UNSUPPORTED_PROTOCOL: (NoAnswerKind.CUT, "answered with something that is not HTTP"),
}
_CUT = (NoAnswerKind.CUT, "broke off before a whole answer came")


@dataclass(frozen=True, slots=True)
class Timing:
    """One request in curl's terms: seconds from its beginning until each step was done.

    Attributes:
        namelookup: the name was resolved.
        connect: the TCP connection stood.
        appconnect: TLS stood; 0 without TLS.
        redirect: spent on redirects; 0, as none is followed.
        pretransfer: ready to send.
        starttransfer: the first byte came.
        total: the last byte came, or the first MiB was full.
        status: of the answer.
        remote_ip: who answered; of the proxy where there is one.
    """

    namelookup: float
    connect: float
    appconnect: float
    redirect: float
    pretransfer: float
    starttransfer: float
    total: float
    status: int
    remote_ip: str

    @property
    def first_byte_ms(self) -> float:
        """From the request's beginning to the first byte, connection included."""
        return self.starttransfer * 1000

    @property
    def waited_ms(self) -> float:
        """From the request being ready to send to the first byte: what the platform itself took."""
        return (self.starttransfer - self.pretransfer) * 1000

    def usable(self) -> Timing:
        """Itself.

        Raises:
            NoAnswer: RATE_LIMITED or UNUSABLE, as the time of a 429 or 5xx says nothing.
        """
        if self.status == 429:
            raise NoAnswer(NoAnswerKind.RATE_LIMITED, "the timed request was answered 429")
        if self.status >= 500:
            raise NoAnswer(NoAnswerKind.UNUSABLE, f"the timed request was answered {self.status}")
        return self

    def as_ms(self) -> dict[str, float]:
        """Each of the times in milliseconds, by curl's name."""
        return {
            "time_namelookup": self.namelookup * 1000,
            "time_connect": self.connect * 1000,
            "time_appconnect": self.appconnect * 1000,
            "time_redirect": self.redirect * 1000,
            "time_pretransfer": self.pretransfer * 1000,
            "time_starttransfer": self.starttransfer * 1000,
            "time_total": self.total * 1000,
        }


class TimingClient:
    """Times single requests, each on a connection of its own.

    Args:
        timeouts: `connect` bounds the way to a standing connection, `answer` the whole request.
        record: is told of every request.
        remaining: seconds that the current item has left.
    """

    def __init__(self, *, timeouts: Timeouts, record: Record, remaining: Callable[[], float]) -> None:
        self._timeouts = timeouts
        self._record = record
        self._remaining = remaining

    def breakdown(self, url: str, headers: Mapping[str, str] | None = None) -> Timing:
        """GET an address once, without following redirects; at most 1 MiB of the body is read.

        Raises:
            NoAnswer: none came in time and whole.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        allowed = seconds_allowed(origin, self._timeouts, self._remaining)
        if parts.scheme == "https":
            trusted_certificates(origin)  # raises where there are none to read, as for every other request
        began = time.monotonic()
        shown = masked_url(url)
        curl = pycurl.Curl()
        try:
            _prepare(
                curl, url, sendable(headers or {}, origin), allowed, min(allowed, self._timeouts.connect)
            )
            timing = _perform(curl)
        except pycurl.error as problem:
            lost = _lost(curl, problem.args[0], origin, time.monotonic() - began)
            lost = fairly(lost, allowed, self._timeouts.answer)
            self._record(Exchange("GET", shown, None, (time.monotonic() - began) * 1000, problem=str(lost)))
            raise lost from None
        finally:
            curl.close()
        self._record(Exchange("GET", shown, timing.status, timing.total * 1000))
        return timing


def _prepare(curl: pycurl.Curl, url: str, headers: dict[str, str], allowed: float, connect: float) -> None:
    curl.setopt(pycurl.URL, url.encode("utf-8", errors="replace"))
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.FOLLOWLOCATION, 0)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.TIMEOUT_MS, max(1, int(allowed * 1000)))
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(connect * 1000)))
    curl.setopt(pycurl.USERAGENT, USER_AGENT)
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
    # The wheel's libcurl knows only the paths of the system that built it, so we name whom to trust, and name
    # the same ones as for every other request.
    folder = os.environ.get("SSL_CERT_DIR")
    file = os.environ.get("SSL_CERT_FILE") or (None if folder else certifi.where())
    if file:
        curl.setopt(pycurl.CAINFO, file)
    elif folder:
        curl.setopt(pycurl.CAPATH, folder)
    received = 0

    def swallow(chunk: bytes) -> int:
        nonlocal received
        received += len(chunk)
        return len(chunk) if received <= LONGEST_BODY else -1

    curl.setopt(pycurl.WRITEFUNCTION, swallow)


def _perform(curl: pycurl.Curl) -> Timing:
    try:
        curl.perform()
    except pycurl.error as problem:
        if problem.args[0] != pycurl.E_WRITE_ERROR:  # that is `swallow`, which has seen enough
            raise
    return Timing(
        namelookup=curl.getinfo(pycurl.NAMELOOKUP_TIME),
        connect=curl.getinfo(pycurl.CONNECT_TIME),
        appconnect=curl.getinfo(pycurl.APPCONNECT_TIME),
        redirect=curl.getinfo(pycurl.REDIRECT_TIME),
        pretransfer=curl.getinfo(pycurl.PRETRANSFER_TIME),
        starttransfer=curl.getinfo(pycurl.STARTTRANSFER_TIME),
        total=curl.getinfo(pycurl.TOTAL_TIME),
        status=curl.getinfo(pycurl.RESPONSE_CODE),
        remote_ip=curl.getinfo(pycurl.PRIMARY_IP),
    )


def _lost(curl: pycurl.Curl, code: int, origin: str, waited_s: float) -> NoAnswer:
    kind, sentence = _BY_CODE.get(code, _CUT)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        kind, sentence = NoAnswerKind.TIMEOUT, f"gave no whole answer within {waited_s:.1f} s"
    elif code == pycurl.E_COULDNT_CONNECT:
        kind, sentence = socket_trouble(curl.getinfo(pycurl.OS_ERRNO)) or (kind, sentence)
    elif code == pycurl.E_PEER_FAILED_VERIFICATION:
        verified = curl.getinfo(pycurl.SSL_VERIFYRESULT)
        kind, sentence = (
            NoAnswerKind.TLS,
            certificate_trouble(verified, "its certificate is not valid for it"),
        )
    return NoAnswer(kind, f"{origin} {sentence}", origin)
