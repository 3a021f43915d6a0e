"""No secret in any output: each form of each credential, on the terminal and in every file."""

from __future__ import annotations

import base64
import io
import json
from urllib.parse import quote

import pytest

from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.masking.streams import MaskedStream
from tests.support.toy_project import MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

CANARY = 'kanarienvogel-"7f3a&<b>/c+d'
PASSWORD = "pa55/wort%mit:allem"
DSN = f"postgresql://verifier:{quote(PASSWORD, safe='')}@127.0.0.1:5432/kamiyo"


@pytest.fixture
def masker() -> Masker:
    masker = Masker(spared={"sandbox"})
    masker.learn_values({"TOY_API_KEY": CANARY, "TOY_DATABASE_URL": DSN, "PIN": "4711", "NO_SECRET": "ab"})
    return masker


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        quote(CANARY),
        quote(CANARY, safe=""),
        json.dumps(CANARY),
        repr(CANARY),
        CANARY.encode().hex(),
        CANARY.encode().hex().upper(),
        base64.b64encode(CANARY.encode()).decode(),
        "kanarienvogel-&quot;7f3a&amp;&lt;b&gt;/c+d",
    ],
)
def test_a_value_is_masked_in_every_form(masker: Masker, form: str) -> None:
    assert masker.text(f"before {form} after") in {
        "before [TOY_API_KEY] after",
        'before "[TOY_API_KEY]" after',
        "before '[TOY_API_KEY]' after",
    }


def test_the_password_within_an_address_is_masked_by_itself(masker: Masker) -> None:
    for text in (DSN, PASSWORD, quote(PASSWORD, safe=""), f"verifier:{quote(PASSWORD, safe='')}"):
        masked = masker.text(f"could not connect: {text}!")
        assert masked == "could not connect: [TOY_DATABASE_URL]!"


def test_what_an_ellipsis_leaves_of_a_value_is_masked(masker: Masker) -> None:
    assert masker.text(f"key = '{CANARY[:12]}...{CANARY[-9:]}'") == "key = '[TOY_API_KEY]...[TOY_API_KEY]'"
    assert masker.text("kana... and so on") == "kana... and so on"


def test_short_values_are_masked_as_words_and_words_of_the_report_never(masker: Masker) -> None:
    masker.learn_values({"EMAIL": "sandbox"})

    assert masker.text("pin 4711, port 14711, a_4711") == "pin [PIN], port 14711, a_4711"
    assert masker.text("the sandbox is able") == "the sandbox is able"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sk_live_51Habcdef0123", "sk_live_***"),
        ("pk_test_51Habcdef0123 rk_live_abcd1234", "pk_test_*** rk_live_***"),
        ("whsec_abcdef0123456789", "whsec_***"),
        ("rnd_abcdef0123456789", "rnd_***"),
        ("ghp_abcdefghij0123456789 github_pat_11ABC_defghijkl", "ghp_*** github_pat_***"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "***"),
        ("postgresql://user:hunter2@db.example/x", "postgresql://***@db.example/x"),
        ("wss://api.example/ws?token=abc&chain=eth", "wss://api.example/ws?token=***&chain=eth"),
        ("https://x/cb?a=1&amp;session_token=abc", "https://x/cb?a=1&amp;session_token=***"),
        (f"t=1,v1={'a1' * 32}", "t=1,v1=***"),
        ("Basic features and the bearer of news", "Basic features and the bearer of news"),
        ("a key=value pair; state=open", "a key=value pair; state=open"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, masked: str) -> None:
    assert Masker().text(text) == masked


def test_data_keeps_its_shape(masker: Masker) -> None:
    data = {"a": [CANARY, 1, None, (CANARY,)], CANARY: {"b": 2.5}}

    assert masker.data(data) == {
        "a": ["[TOY_API_KEY]", 1, None, ("[TOY_API_KEY]",)],
        "[TOY_API_KEY]": {"b": 2.5},
    }


@pytest.mark.parametrize("size", [1, 2, 5, 11, 100])
def test_a_stream_is_masked_however_it_is_cut(masker: Masker, size: int) -> None:
    stream = io.StringIO()
    before = stream.write
    guard = MaskedStream(stream, masker)
    text = f"one {CANARY} two\n{CANARY}{CANARY}\nlast {CANARY}"
    for start in range(0, len(text), size):
        stream.write(text[start : start + size])
        stream.flush()
    guard.release()

    assert stream.getvalue() == "one [TOY_API_KEY] two\n[TOY_API_KEY][TOY_API_KEY]\nlast [TOY_API_KEY]"
    assert stream.write == before


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_stream_shows_progress_at_once(masker: Masker) -> None:
    stream = Terminal()
    guard = MaskedStream(stream, masker)
    print("..F", end="", flush=True, file=stream)
    assert stream.getvalue() == "..F"
    print("\r50 %", end="", file=stream)
    assert stream.getvalue() == "..F\r"
    guard.release()
    assert stream.getvalue() == "..F\r50 %"


CHECKS = """
import logging, os, sys, warnings
from urllib.parse import quote

SECRETS = [os.environ[name] for name in ("TOY_API_KEY", "TOY_PASSWORD", "TOY_DATABASE_URL")]
print("imported", SECRETS)

@pytest.fixture
def talkative(record_property):
    print("set-up", SECRETS)
    yield
    print("teardown", SECRETS, file=sys.stderr)

@pytest.mark.item("postdeploy.health")
def test_health(talkative, measure, record, record_property, environment):
    secret = environment.api.key.reveal()
    headers = {"X-API-Key": secret, "Cookie": "x" * 200 + secret + "y" * 200}
    print(secret, headers, quote(secret, safe=""), secret.encode().hex())
    logging.getLogger("x").error("logged %s", secret)
    warnings.warn(secret, stacklevel=1)
    record_property("key", secret)
    measure("secret", secret)
    record(Exchange("GET", f"http://x/?q={quote(secret)}", 200, 1.0, secret, secret))
    sys.stdout.flush()
    assert secret == "", f"wrong: {SECRETS}"

@pytest.mark.item("postdeploy.data")
def test_data(environment):
    raise KeyError(*SECRETS)

@pytest.mark.item("postdeploy.list")
def test_list(environment):
    raise Unverified(f"cannot use {SECRETS}")

@pytest.mark.item("postdeploy.live")
def test_live(environment, heartbeat): ...
"""

LEAKING_TASK = """
import os
from kamiyo_verify.hooks.background import background_fixture
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

@background_fixture(seconds=lambda environment: 4)
def heartbeat(environment, record, stop):
    raise NoAnswer(NoAnswerKind.TIMEOUT, "nobody at " + os.environ["TOY_DATABASE_URL"])
"""

CANARIES = {"TOY_API_KEY": CANARY, "TOY_PASSWORD": "p4ssw0rt-kanarie", "TOY_DATABASE_URL": DSN}


def traces(text: str) -> list[str]:
    """The parts of the canaries that a text shows, in whatever form."""
    telling = ["kanarienvogel", "p4ssw0rt-kan", "pa55", "wort%mit", "wort%25mit", CANARY.encode().hex()[:24]]
    telling += [base64.b64encode(CANARY.encode()).decode()[:20], "7f3a"]
    return [trace for trace in telling if trace in text]


@MOSTLY_ALONE
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-s",),
        ("-l", "--tb=long", "-rA", "-v"),
        ("--full-trace", "-o", "log_cli=true", "--log-file=all.log"),
    ],
    ids=" ".join,
)
def test_no_canary_comes_out(toy: Toy, workers: tuple[str, ...], options: tuple[str, ...]) -> None:
    toy.write("toy_fixtures.py", LEAKING_TASK)
    toy.check("postdeploy/test_a.py", CHECKS)
    warn = ("-W", "default")
    ran = toy.run("-m", "postdeploy", *warn, *options, *workers, env=CANARIES)

    assert ran.statuses["postdeploy.data"] == "error"
    written = ran.everything_written()
    assert "[TOY_API_KEY]" in written
    assert traces(written) == []
    log = toy.folder / "all.log"
    assert not log.exists() or traces(log.read_text()) == []


@MOSTLY_ALONE
@pytest.mark.parametrize(
    "trouble",
    [
        "def pytest_runtest_logreport(report): raise ValueError(os.environ['TOY_API_KEY'])",
        "def pytest_collection_modifyitems(items): raise ValueError(os.environ['TOY_API_KEY'])",
        "def pytest_sessionfinish(session): raise ValueError(os.environ['TOY_API_KEY'])",
    ],
    ids=["report", "collection", "finish"],
)
def test_no_canary_comes_out_of_a_crash(toy: Toy, workers: tuple[str, ...], trouble: str) -> None:
    conftest = (toy.folder / "conftest.py").read_text()
    toy.write("troublesome.py", f"import os, sys\n{trouble}\n")
    toy.write("conftest.py", conftest.replace("pytest_plugins = [", 'pytest_plugins = ["troublesome", '))
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n')
    ran = toy.run("-m", "postdeploy", *workers, env=CANARIES)

    assert ran.code != 0
    assert traces(ran.everything_written()) == []


@MOSTLY_ALONE
def test_no_canary_comes_out_between_and_after_the_checks(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.write(
        "talkative.py",
        """
import os, sys

def tell():
    for stream in (sys.stdout, sys.stderr):
        print(os.environ["TOY_API_KEY"], file=stream)

def pytest_runtest_logfinish(): tell()
def pytest_sessionfinish(): tell()
def pytest_unconfigure(): tell()
""",
    )
    conftest = (toy.folder / "conftest.py").read_text()
    toy.write("conftest.py", conftest.replace("pytest_plugins = [", 'pytest_plugins = ["talkative", '))
    toy.items({"postdeploy.health": "core"})
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n')
    ran = toy.run("-m", "postdeploy", *workers, env=CANARIES)

    assert ran.code == 0
    assert ran.out.count("[TOY_API_KEY]") >= 6
    assert traces(ran.everything_written()) == []


def test_no_canary_comes_out_of_a_module_that_cannot_be_read(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", "import os\nraise ValueError(os.environ['TOY_API_KEY'])\n")
    ran = toy.run("-m", "postdeploy", env=CANARIES)

    assert ran.code == 2
    assert "[TOY_API_KEY]" in ran.out
    assert traces(ran.everything_written()) == []


def test_a_password_that_is_a_word_of_the_report_leaves_it_readable(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...\n')
    ran = toy.run("-m", "postdeploy", env={"TOY_PASSWORD": "postdeploy", "TOY_API_KEY": "toy"})

    assert ran.verdict.environment == "toy"
    assert ran.statuses["postdeploy.health"] == "passed"
