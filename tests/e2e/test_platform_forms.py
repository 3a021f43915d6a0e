"""A healthy platform of another form gets "proceed", and each of its faults the call of the plain one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.runs import CANARIES, EXHAUSTIVE, Ran, brief_environment, ledger_in, variables, verify
from tests.support.sandbox_process import Sandbox, request, started

EARLIER = "3f1c0ffee0ddba11deadbeefcafe5ca1ab1e0ff1"
PASSWORD_ITEMS = {"postdeploy.credentials-accepted", "postdeploy.wrong-password-refused"}
POOLED = pytest.mark.skipif(
    not (shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")),
    reason="no pgbouncer on this machine (apt-get install pgbouncer)",
)


@dataclass(frozen=True, slots=True)
class Form:
    """How the sandbox is started, and what the environment file says of it.

    Attributes:
        arguments: of the sandbox.
        file: texts of the environment file and what replaces them.
        tls: whether it is served over TLS.
    """

    arguments: tuple[str, ...] = ()
    file: tuple[tuple[str, str], ...] = ()
    tls: bool = False


FORMS = {
    "plain": Form(),
    # The environment file keeps the test account: the platform's own list decides.
    "google-only": Form(("--form=google-only",), (('["google", "credentials"]', '["google"]'),)),
    "tls": Form(tls=True),
    "tls-plain-cookies": Form(("--form=plain-cookies",), tls=True),
    "monorepo": Form(("--form=monorepo",)),
    "pooler": Form(("--form=pooler",)),
    "server-side-proxy": Form(
        ("--form=server-side-proxy",), (('absent = ["browser"]', 'absent = ["browser", "cross-origin"]'),)
    ),
}


class Platforms:
    """The sandboxes of a module by form, each started when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._running: dict[str, Sandbox] = {}

    def __enter__(self) -> Platforms:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def get(self, name: str) -> Sandbox:
        """The sandbox of a form, healthy."""
        if name not in self._running:
            self._running[name] = self._stack.enter_context(self.starting(name))
        sandbox = self._running[name]
        request("DELETE", f"{sandbox.control}/faults").raise_for_status()
        return sandbox

    def starting(self, name: str, *arguments: str) -> AbstractContextManager[Sandbox]:
        """Another sandbox of that form, for the length of a block."""
        return started(
            "--heartbeat",
            "0.5",
            *FORMS[name].arguments,
            *((f"--tls={self.authority(name)}",) if FORMS[name].tls else ()),
            *arguments,
            environment=CANARIES,
        )

    def authority(self, name: str) -> Path:
        """Where the certificate of the form's authority is."""
        return self._folder / f"{name}.pem"

    def verified(
        self, name: str, sandbox: Sandbox, folder: Path, *faults: str, arguments: tuple[str, ...] = ()
    ) -> Ran:
        """A run against a sandbox of that form; runs beside each other share a ledger."""
        for fault in faults:
            request("POST", f"{sandbox.control}/faults/{fault}").raise_for_status()
        folder.mkdir(parents=True, exist_ok=True)
        environment = brief_environment(folder, sandbox)
        text = environment.read_text(encoding="utf-8")
        for old, new in FORMS[name].file:
            assert old in text
            text = text.replace(old, new)
        environment.write_text(text, encoding="utf-8")
        given = {**variables(sandbox), "SANDBOX_LEDGER_URL": ledger_in(folder.parent)}
        if FORMS[name].tls:
            given["SSL_CERT_FILE"] = str(self.authority(name))
        return verify(folder / "r", "-m", "postdeploy", f"--env={environment}", *arguments, variables=given)


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    with Platforms(tmp_path_factory.mktemp("authorities")) as running:
        yield running


@pytest.mark.parametrize(
    "form", [pytest.param(name, marks=POOLED if name == "pooler" else ()) for name in FORMS]
)
def test_a_healthy_platform_of_another_form_proceeds(form: str, platforms: Platforms, tmp_path: Path) -> None:
    ran = platforms.verified(form, platforms.get(form), tmp_path)

    assert (ran.call, ran.code) == ("proceed", 0), ran.output
    assert ran.red == set()
    assert ran.leaks == []


def test_a_platform_with_google_alone_has_no_password_items(platforms: Platforms, tmp_path: Path) -> None:
    ran = platforms.verified("google-only", platforms.get("google-only"), tmp_path)

    assert {ran.statuses[item] for item in PASSWORD_ITEMS} == {"not_applicable"}
    messages = {item["id"]: item["message"] for item in ran.verdict["items"]}
    for item in PASSWORD_ITEMS:
        assert "sign-in by google only: it takes no passwords" in messages[item]


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        pytest.param("google-only", "auth-misconfigured", marks=EXHAUSTIVE),
        pytest.param("google-only", "auth-provider-missing", marks=EXHAUSTIVE),
        ("tls", "auth-misconfigured"),
        pytest.param("tls", "frontend-down", marks=EXHAUSTIVE),
        pytest.param("tls", "websocket-silent", marks=EXHAUSTIVE),
        ("tls-plain-cookies", "sessions-lost"),
        pytest.param("tls-plain-cookies", "wrong-password-accepted", marks=EXHAUSTIVE),
        ("monorepo", "details-broken"),
        pytest.param("monorepo", "websocket-silent", marks=EXHAUSTIVE),
        pytest.param("pooler", "exploits-vanished", marks=POOLED),
        pytest.param("pooler", "migration-failed", marks=[POOLED, EXHAUSTIVE]),
        pytest.param("pooler", "database-down", marks=[POOLED, EXHAUSTIVE]),
        ("server-side-proxy", "api-down"),
        pytest.param("server-side-proxy", "frontend-proxy-broken", marks=EXHAUSTIVE),
    ],
)
def test_a_fault_gets_the_call_that_it_gets_on_the_plain_platform(
    form: str, fault: str, platforms: Platforms, tmp_path: Path
) -> None:
    # Each alone with its ledger: no run is compared with the other.
    plain = platforms.verified("plain", platforms.get("plain"), tmp_path / "a" / "plain", fault)
    ran = platforms.verified(form, platforms.get(form), tmp_path / "b" / "other", fault)

    assert plain.call != "proceed", plain.output
    assert (ran.call, ran.code) == (plain.call, plain.code), f"{plain.output}\n{ran.output}"
    assert ran.verdict["reasons"][0]["impact"] == plain.verdict["reasons"][0]["impact"]


def test_without_passwords_a_lost_session_needs_an_earlier_run_in_which_it_was_recognised(
    platforms: Platforms, tmp_path: Path
) -> None:
    """No fresh sign-in can contradict the stored session, so it may just have expired."""
    google = platforms.get("google-only")
    alone = platforms.verified("google-only", google, tmp_path / "alone", "sessions-lost")
    with platforms.starting("google-only", "--commit", EARLIER) as before:
        platforms.verified("google-only", before, tmp_path / "before", arguments=("--baseline",))
    compared = platforms.verified("google-only", google, tmp_path / "compared", "sessions-lost")

    assert (alone.call, alone.code) == ("inconclusive", 30), alone.output
    assert "renew SANDBOX_SESSION_TOKEN" in alone.verdict["next_step"]
    assert (compared.call, compared.code) == ("roll_back", 20), compared.output
    assert compared.red == {"postdeploy.session-recognised"}
