"""Time of each step of one request, in the terms of `curl -w`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import certifi
import pycurl

from kamiyo_verify.http.bodies import LONGEST_BODY
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.deadline import fairly, seconds_allowed
from kamiyo_verify.http.pool import trusted_certificates
from kamiyo_verify.http.problems import certificate_trouble, on_this_machine, socket_trouble
from kamiyo_verify.http.readable import masked_url
from kamiyo_verify.http.requests import USER_AGENT, sendable
from kamiyo_verify.model.loopback import is_loopback
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.times import utc_now

_BY_CODE = {
    pycurl.E_COULDNT_RESOLVE_HOST: (NoAnswerKind.NAME, "cannot be found: its name does not resolve"),
    pycurl.E_COULDNT_RESOLVE_PROXY: (NoAnswerKind.LOCAL, on_this_machine("no proxy has that name")),
    pycurl.E_URL_MALFORMAT: (NoAnswerKind.UNUSABLE, "was not asked: that is no address"),
    pycurl.E_COULDNT_CONNECT: (NoAnswerKind.UNREACHABLE, "cannot be reached"),
    pycurl.E_SSL_CONNECT_ERROR: (NoAnswerKind.TLS, "breaks off the TLS handshake"),
    pycurl.E_SSL_CACERT_BADFILE: (NoAnswerKind.LOCAL, on_this_machine("it has no certificates to trust")),
    pycurl.E_GOT_NOTHING: (NoAnswerKind.CUT, "closed the connection without an answer"),
    pycurl.E_PARTIAL_FILE: (NoAnswerKind.CUT, "broke off in the middle of its answer"),
    pycurl.E_UNSUPPORTED_PROTOCOL: (NoAnswerKind.CUT, "answered with something that is not HTTP"),
}
_CUT = (NoAnswerKind.CUT, "broke off before a whole answer came")


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of one request in curl's terms: seconds from its start to the end of each step.

    Attributes:
        namelookup: the name was resolved.
        connect: the TCP connection was established.
        appconnect: the TLS handshake was complete; 0 without TLS.
        redirect: spent on redirects; 0, as none is followed.
        pretransfer: ready to send.
        starttransfer: the first byte came.
        total: the last byte came, or the first MiB was read.
        status: of the answer.
        remote_ip: address of the server, or of the proxy if there is one.
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
        """From the start of the request to the first byte, connection included."""
        return self.starttransfer * 1000

    @property
    def waited_ms(self) -> float:
        """From the request being ready to send to the first byte: the platform's own share."""
        return (self.starttransfer - self.pretransfer) * 1000

    def usable(self) -> Timing:
        """The timing itself if the status is a valid answer.

        Raises:
            NoAnswer: RATE_LIMITED or UNUSABLE, as the time of a 429 or 5xx says nothing.
        """
        if self.status == 429:
            raise NoAnswer(NoAnswerKind.RATE_LIMITED, "the timed request was answered 429")
        if self.status >= 500:
            raise NoAnswer(NoAnswerKind.UNUSABLE, f"the timed request was answered {self.status}")
        return self

    def as_ms(self) -> dict[str, float]:
        """Each time in milliseconds, by curl's name."""
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
        context: shared with other clients.
    """

    def __init__(self, context: ClientContext) -> None:
        self._context = context

    def breakdown(self, url: str, headers: Mapping[str, str] | None = None) -> Timing:
        """GET an address once, without following redirects; at most 1 MiB of the body is read.

        Raises:
            NoAnswer: no complete answer came in time.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        allowed = seconds_allowed(origin, self._context.timeouts, self._context.remaining)
        if parts.scheme == "https":
            trusted_certificates(origin)  # raises if they cannot be read, as for every other request
        self._context.hangs.admit(origin)
        at, began = utc_now(), time.monotonic()
        shown = masked_url(url)
        curl = pycurl.Curl()
        try:
            _prepare(
                curl,
                url,
                sendable(headers or {}, origin),
                allowed,
                min(allowed, self._context.timeouts.connect),
            )
            timing = _perform(curl)
        except pycurl.error as problem:
            lost = _lost(curl, problem.args[0], origin, time.monotonic() - began)
            lost = fairly(lost, allowed, self._context.timeouts.answer)
            if lost.kind is NoAnswerKind.TIMEOUT:
                self._context.hangs.timed_out(origin, began, allowed)
            took_ms = (time.monotonic() - began) * 1000
            self._context.record(Exchange("GET", shown, None, took_ms, problem=str(lost), at=at))
            raise lost from None
        finally:
            curl.close()
        self._context.hangs.answered(origin)
        self._context.record(Exchange("GET", shown, timing.status, timing.total * 1000, at=at))
        return timing


def _prepare(curl: pycurl.Curl, url: str, headers: dict[str, str], allowed: float, connect: float) -> None:
    curl.setopt(pycurl.URL, url.encode("utf-8", errors="replace"))
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.FOLLOWLOCATION, 0)
    if is_loopback(url):
        curl.setopt(pycurl.NOPROXY, "*")
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.TIMEOUT_MS, max(1, int(allowed * 1000)))
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(connect * 1000)))
    curl.setopt(pycurl.USERAGENT, USER_AGENT)
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
    # The wheel's libcurl knows only the paths of the system that built it, so we name the trusted
    # certificates explicitly: the same ones as for every other request.
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
        if problem.args[0] != pycurl.E_WRITE_ERROR:  # raised because `swallow` has read enough
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
