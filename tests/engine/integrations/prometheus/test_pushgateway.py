"""Metrics go to a Pushgateway: one that only keeps them, and the real one where it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.prometheus.pushgateway import Pushgateway
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.reporting.exports.prometheus import prometheus_text
from tests.engine.reporting.exports.verdicts import BAD, GOOD, VERDICTS
from tests.support.listeners import listening


def context(seconds: float = 30) -> ClientContext:
    until = time.monotonic() + seconds
    return ClientContext.unrecorded(Timeouts(), lambda: until - time.monotonic())


def test_a_group_is_replaced_with_its_labels() -> None:
    with listening() as found:
        with closing(Pushgateway(f"{found.origin}/push", context())) as gateway:
            gateway.replace(prometheus_text(BAD), "kamiyo-verify", environment="prod", place="")
            gateway.replace(prometheus_text(BAD), "kamiyo-verify", environment="prod", place="fra 1")
        first, second = found.pushed
    assert first.target == "/push/metrics/job/kamiyo-verify/environment/prod"
    assert second.target == "/push/metrics/job/kamiyo-verify/environment/prod/place/fra%201"
    assert first.request_body.decode() == prometheus_text(BAD)
    assert first.request_headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "authorization" not in first.request_headers


def test_a_user_is_named_with_the_password() -> None:
    password = Credential(name="PUSHGATEWAY_PASSWORD", value=SecretStr("s3cret"))
    with listening() as found:
        gateway = Pushgateway(f"{found.origin}/push", context(), user="ci", password=password)
        with closing(gateway):
            gateway.replace(prometheus_text(GOOD), "j")
        [seen] = found.pushed
    assert seen.request_headers["authorization"] == "Basic Y2k6czNjcmV0"


def test_a_refusal_is_told() -> None:
    with (
        listening(refusing=400) as found,
        closing(Pushgateway(f"{found.origin}/push", context())) as gateway,
        pytest.raises(NoAnswer, match=r"PUT .*/push/metrics/job/j answered 400"),
    ):
        gateway.replace("nonsense\n", "j")


@contextmanager
def real_pushgateway() -> Iterator[str]:
    program = shutil.which("prometheus-pushgateway") or shutil.which("pushgateway")
    if program is None:
        pytest.skip("no Pushgateway is installed: Debian has it as prometheus-pushgateway")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [program, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL
    ) as process:
        try:
            until = time.monotonic() + 20
            while True:
                try:
                    with socket.create_connection(("127.0.0.1", port), 1):
                        break
                except OSError:
                    assert process.poll() is None
                    assert time.monotonic() < until, "the Pushgateway did not start"
                    time.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_the_real_pushgateway_takes_every_verdict() -> None:
    with real_pushgateway() as address, closing(Pushgateway(address, context())) as gateway:
        for verdict in VERDICTS.values():
            gateway.replace(prometheus_text(verdict), "kamiyo-verify", environment="prod")
        gateway.replace(prometheus_text(BAD), "kamiyo-verify", environment="prod")
        with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:  # noqa: S310 - of this test
            families = {one.name: one for one in text_string_to_metric_families(answer.read().decode())}
    [code] = families["kamiyo_verify_exit_code"].samples
    assert (code.value, code.labels["job"], code.labels["environment"]) == (
        BAD.exit_code,
        "kamiyo-verify",
        "prod",
    )
