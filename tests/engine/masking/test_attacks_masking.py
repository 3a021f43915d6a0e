"""Attacks on masking: every form that docs/security.md names, of each credential, in every output."""

from __future__ import annotations

import base64
import html
import io
import json
import quopri
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx2
import pytest

from kamiyo_verify.evidence.log import EvidenceLog
from kamiyo_verify.hooks.outcome import sentence
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.readable import readable
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.masking.streams import MaskedStream
from kamiyo_verify.model.writing.text import cut
from tests.support.sandbox_process import wait_until
from tests.support.toy_project import MOSTLY_ALONE, Ran, Toy

pytest_plugins = ["pytester"]

CREDENTIALS = {
    "TOY_API_KEY": 'Zq7"Wx&4<vK>/r+T9_canary',
    "TOY_PASSWORD": "Jm8 it's%41 Qf2\\nXw5 hold?",
    "TOY_UNICODE": "Pß9-Łö7ü-Ünïcode-Ξ3",
    "TOY_PLAIN": "c0a1b2d3e4f5968778695a4b3c2d1e0f9a8b7c6d5e4f",
    "TOY_SHORTER": "hk9Tz2Lm",
}

# A database's address is known too, by its password alone.
PASSWORD = "Vd3/Gs%8:Yb6"
ADDRESS = f"postgresql://verifier:{quote(PASSWORD, safe='')}@db.example:5432/kamiyo"


def percent_all(value: str) -> str:
    return "".join(f"%{byte:02X}" for byte in value.encode())


def encode_uri_component(value: str) -> str:
    return quote(value, safe="!'()*-._~")


def json_unicode(value: str) -> str:
    units = value.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def entities(value: str, form: str) -> str:
    return "".join(char if char.isalnum() and char.isascii() else form.format(ord(char)) for char in value)


def in_base64(
    value: str, before: str, after: str, encode: Callable[[bytes], bytes] = base64.b64encode
) -> str:
    return encode(f"{before}{value}{after}".encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoding": quote,
    "percent-encoding, all reserved": lambda value: quote(value, safe=""),
    "percent-encoding, lower case": lambda value: percent_all(value).lower(),
    "percent-encoding of every byte": percent_all,
    "percent-encoding twice": lambda value: quote(quote(value, safe=""), safe=""),
    "percent-encoding three times": lambda value: quote(quote(quote(value, safe=""), safe=""), safe=""),
    "encodeURIComponent": encode_uri_component,
    "a form, with + for a space": quote_plus,
    "a form, decoded once too often": lambda value: value.replace("+", " "),
    "JavaScript's escape()": lambda value: "".join(
        char
        if char.isascii() and char.isalnum()
        else f"%{ord(char):02X}"
        if ord(char) < 256
        else f"%u{ord(char):04X}"
        for char in value
    ),
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON, as UTF-8": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "JSON of JSON": lambda value: json.dumps(json.dumps(value))[1:-1],
    "JSON with \\/": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "JSON with \\u002B": json_unicode,
    "JSON of an address": lambda value: json.dumps(quote(value, safe=""))[1:-1].replace("/", "\\/"),
    "Python": lambda value: repr(value)[1:-1],
    "Python bytes": lambda value: repr(value.encode())[2:-1],
    "JavaScript \\u{2b}": lambda value: "".join(f"\\u{{{ord(char):x}}}" for char in value),
    "C, octal": lambda value: "".join(
        f"\\{ord(char):03o}" if char.isascii() and not char.isalnum() else char for char in value
    ),
    "a shell's quotes": lambda value: shlex.quote(value).strip("'"),
    "a shell's backslashes": lambda value: "".join(char if char.isalnum() else f"\\{char}" for char in value),
    "SQL": lambda value: value.replace("'", "''"),
    "CSV": lambda value: value.replace('"', '""'),
    "HTML": html.escape,
    "HTML, quotes as they are": lambda value: html.escape(value, quote=False),
    "HTML, decimal": lambda value: entities(value, "&#{};"),
    "HTML, hex": lambda value: entities(value, "&#x{:x};"),
    "HTML, hex in upper case": lambda value: entities(value, "&#X{:04X};"),
    "HTML of HTML": lambda value: html.escape(html.escape(value)),
    "HTML of JSON": lambda value: html.escape(json.dumps(value)[1:-1]),
    "base64": lambda value: in_base64(value, "", ""),
    "base64, second place": lambda value: in_base64(value, "u", ""),
    "base64, third place": lambda value: in_base64(value, "u:", ""),
    "base64 of a text around it": lambda value: in_base64(value, '{"user": "a", "key": "', '", "more": 1}'),
    "base64url of a text around it": lambda value: in_base64(
        value, "user~~:", "??>>", base64.urlsafe_b64encode
    ).rstrip("="),
    "base64 in lines": lambda value: base64.encodebytes(
        ("header: " * 9 + value + " more" * 9).encode()
    ).decode(),
    "base64 in a URL": lambda value: quote(in_base64(value, "??", ">>"), safe=""),
    "base64 in JSON": lambda value: in_base64(value, "??", ">>").replace("/", "\\/").replace("+", "\\u002b"),
    "base64 of UTF-16": lambda value: base64.b64encode(f"set key={value};".encode("utf-16-le")).decode(),
    "hex": lambda value: value.encode().hex(),
    "hex, upper case": lambda value: value.encode().hex().upper(),
    "hex with colons": lambda value: value.encode().hex(":").upper(),
    "hex with spaces": lambda value: value.encode().hex(" "),
    "hex with dashes": lambda value: value.encode().hex("-"),
    "hex in groups": lambda value: value.encode().hex(" ", 2),
    "hex with 0x": lambda value: ", ".join(f"0x{byte:02x}" for byte in value.encode()),
    "hex with \\x": lambda value: "".join(f"\\x{byte:02x}" for byte in value.encode()),
    "a list of bytes": lambda value: json.dumps(list(value.encode())),
    "a list of bytes, dense": lambda value: ",".join(map(str, value.encode())),
    "quoted-printable": lambda value: quopri.encodestring(value.encode(), quotetabs=True).decode(),
    "quoted-printable, every byte": lambda value: "".join(f"={byte:02X}" for byte in value.encode()),
    "quoted-printable, lines cut": lambda value: "=\r\n".join(
        value[at : at + 5].replace("=", "=3D") for at in range(0, len(value), 5)
    ),
    "UTF-16 read as bytes": lambda value: value.encode("utf-16-le").decode("latin-1"),
    "coloured by a highlighter": lambda value: f"\x1b[33m{value[:4]}\x1b[39;49;00m\x1b[33m{value[4:]}\x1b[0m",
}

SURROUNDINGS = ["{}", "key={}&a=b", '{{"key": "{}"}}', "<b>{}</b>", "Header: x {} y, z", "%20{}%20a", "=3D{}"]


@pytest.fixture
def masker() -> Masker:
    masker = Masker()
    masker.learn_values({**CREDENTIALS, "TOY_DATABASE_URL": ADDRESS})
    return masker


def left(value: str, shown: str, size: int = 6) -> list[str]:
    """Each run of characters of a value, or of a form of it, that a text still shows."""
    if len(value) < size:
        return []
    return [value[at : at + size] for at in range(len(value) - size + 1) if value[at : at + size] in shown]


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("name", [*CREDENTIALS, "PASSWORD"])
def test_no_form_of_a_credential_is_left(masker: Masker, name: str, form: str) -> None:
    value = PASSWORD if name == "PASSWORD" else CREDENTIALS[name]
    if form == "UTF-16 read as bytes" and not value.isascii():
        pytest.skip("its second bytes are characters of their own")
    written = FORMS[form](value)
    for around in SURROUNDINGS:
        shown = masker.text(around.format(written))
        assert "[TOY_" in shown, (around, written)
        assert left(value, shown) == []
        if not form.startswith(("base64", "HTML", "JSON of", "coloured")):
            assert left(written, shown, 10) == [], around
        assert len(shown) < 90 + (len(written) if form.startswith("base64") else 20)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("size", [1, 3, 7])
def test_no_form_comes_through_a_stream_however_it_is_cut(masker: Masker, form: str, size: int) -> None:
    value = CREDENTIALS["TOY_API_KEY"]
    stream = io.StringIO()
    guard = MaskedStream(stream, masker)
    text = f"wrote {FORMS[form](value)} and more"
    for start in range(0, len(text), size):
        stream.write(text[start : start + size])
        guard._flushed_at = 0.0
        stream.flush()
    guard.release()
    assert left(value, stream.getvalue(), 5) == []
    assert "[TOY_API_KEY]" in stream.getvalue()


CUTS: dict[str, Callable[[str, int], str]] = {
    "with …": lambda text, at: text[:at] + "…",
    "with ...": lambda text, at: text[:at] + "...",
    "with a word": lambda text, at: text[:at] + " … (17 characters more)",
    "by our own hand": cut,
    "for one line": readable,
    "before": lambda text, at: "…" + text[-at:],
    "by pytest": lambda text, at: f"{text[:at]}...{text[-7:]}",
}


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize(
    "form", ["as it is", "percent-encoding of every byte", "JSON with \\u002B", "base64", "hex"]
)
@pytest.mark.parametrize("name", ["TOY_API_KEY", "TOY_PLAIN"])
def test_nothing_is_left_of_a_value_that_was_cut(masker: Masker, name: str, form: str, how: str) -> None:
    value = CREDENTIALS[name]
    written = FORMS[form](value)
    for at in range(1, len(written)):
        shown = masker.text(CUTS[how](written, at))
        assert left(value, shown) == [], at
        if form in {"base64", "hex"}:
            assert left(written, shown, 14) == [], at


def test_a_piece_out_of_the_middle_is_no_less_masked(masker: Masker) -> None:
    value = CREDENTIALS["TOY_PLAIN"]
    assert masker.text(f"…{value[10:30]}… and …{value[30:]}") == "…[TOY_PLAIN]… and …[TOY_PLAIN]"


def test_what_bytes_cut_without_a_mark_is_masked_at_the_end(masker: Masker) -> None:
    value = CREDENTIALS["TOY_PLAIN"]
    assert masker.text(f"echo {value[:38]}") == "echo [TOY_PLAIN]"


def test_a_sentence_of_a_failure_is_cut_with_a_mark(masker: Masker) -> None:
    value = CREDENTIALS["TOY_PLAIN"]
    for before in range(540, 600):
        assert (
            left(value, masker.text(sentence("x" * 500 + " " + "y" * (before - 501) + value + " more"))) == []
        )


def test_the_public_part_of_an_address_stays_readable(masker: Masker) -> None:
    masker.learn_values(
        {"TEAM": "https://hooks.example.com/services/T0/B0/xyzzy123", "MAIL": "prober@example.com"}
    )
    for text in (
        "cannot reach postgresql://verifier…",
        "cannot reach https://hooks.example.com",
        "see https://…",
        "…@db.example:5432/kamiyo",
        "…example.com",
    ):
        assert masker.text(text) == text
    assert masker.text("to https://hooks.example.com/services/T0/B0/xy…") == "to [TEAM]…"


@pytest.mark.parametrize(
    "text",
    [
        'GET /api/exploits?page=2&amp;q=a%20b answered 500 where 200 was expected: {"detail":"no\\/thing"}',
        "C:\\new\\table\\u0041 costs 50 % = 3D and &lt;b&gt; 🔧 – ok…",
        "commit 9c41d07aa55e0f1c2b3d4e5f60718293a4b5c6d7 [1, 2, 3, 4, 5, 6, 7, 8]",
        "de:ad:be:ef:00:11 dGhpcyBpcyBub3RoaW5nIHRvIGhpZGU= \x1b[31mred\x1b[0m",
    ],
)
def test_what_is_no_secret_stays_as_it_is(masker: Masker, text: str) -> None:
    assert masker.text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "KeyError: AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7 in os",
            "KeyError: AWS_SECRET_ACCESS_KEY=*** in os",
        ),
        ('500: {"dbPassword": "correct-horse", "user": "a"}', '500: {"dbPassword": "***", "user": "a"}'),
        (r'"{\"access_token\":\"c29tZXRoaW5n\"}"', r'"{\"access_token\":\"***\"}"'),
        ("Client(api_key='0a1b2c3d4e', retries=3)", "Client(api_key='***', retries=3)"),
        ('{"password": "it\'s a \\"long\\" one", "n": 1}', '{"password": "***", "n": 1}'),
        ("login(password='two words', n=1)", "login(password='***', n=1)"),
        (r'"{\"secret\": \"two words\", \"n\": 1}"', r'"{\"secret\": \"***\", \"n\": 1}"'),
        ("export GRAFANA_TOKEN=abcdefgh; exit", "export GRAFANA_TOKEN=***; exit"),
        ("DB_PASSWORD=${PGPASSWORD} and TOKEN=$TOKEN", "DB_PASSWORD=${PGPASSWORD} and TOKEN=$TOKEN"),
        ("prompt_tokens=1234567", "prompt_tokens=1234567"),
        ("TOY_AUTH_TOKEN: refused; API_KEY is missing", "TOY_AUTH_TOKEN: refused; API_KEY is missing"),
    ],
)
def test_what_its_name_calls_a_secret_is_masked(text: str, shown: str) -> None:
    assert Masker().text(text) == shown


def test_short_values_and_common_words_do_not_mask_everything() -> None:
    masker = Masker(spared={"production"})
    masker.learn_values({"PIN": "4711", "USER": "admin", "WORD": "production", "TWO": "ab"})
    assert masker.text("admin administers 47112 of production, pin%204711, able") == (
        "[USER] administers 47112 of production, pin%20[PIN], able"
    )
    assert masker.text("YWRtaW4= 61646d696e") == "YWRtaW4= 61646d696e"


KEY_FILE = {
    "type": "service_account",
    "private_key": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSj\n-----END KEY-----\n",
    "client_email": "prober@example.com",
    "nested": {"refresh_token": "1//0gQ-Zr8xT5kLmN", "n": 1},
}


@pytest.mark.parametrize("indent", [None, 2, 4])
def test_a_key_file_in_json_is_masked_as_a_whole_and_by_its_secrets(indent: int | None) -> None:
    masker = Masker()
    masker.learn_values({"KEY_FILE": json.dumps(KEY_FILE, indent=4)})
    for text in (
        json.dumps(KEY_FILE, indent=indent),
        json.dumps(json.dumps(KEY_FILE, separators=(",", ":"))),
        str(KEY_FILE["private_key"]),
        "token 1//0gQ-Zr8xT5kLmN; MIIEvQIBADANBgkqhkiG9w0BAQEF",
    ):
        shown = masker.text(text)
        assert "[KEY_FILE]" in shown
        assert left("1//0gQ-Zr8xT5kLmN", shown) == left("MIIEvQIBADANBgkqhkiG9w0BAQEF", shown) == []
    assert masker.text("{ service_account } of n: 1, prober@example.com") == (
        "{ service_account } of n: 1, prober@example.com"
    )


def test_overlapping_values_leave_nothing() -> None:
    masker = Masker()
    masker.learn_values({"A": "abcdefgh1234", "B": "efgh1234ijkl"})
    assert masker.text("x abcdefgh1234ijkl y") == "x [A] y"


def test_a_lone_surrogate_is_written_out_for_every_encoder(masker: Masker) -> None:
    shown = masker.data({"title \ud800": ["boom \udfff", f"{CREDENTIALS['TOY_PLAIN']} \ud83d"]})
    assert json.dumps(shown, ensure_ascii=False).encode()
    assert shown == {"title \\ud800": ["boom \\udfff", "[TOY_PLAIN] \\ud83d"]}


def test_half_a_surrogate_pair_in_an_answer_is_text_that_can_be_written() -> None:
    body = b'{"title": "boom \\ud800", "ok": "\\ud83d\\ude00", "more": [{"\\udfff": null}]}'
    answer = Answer("GET", "https://x.example/", 200, httpx2.Headers(), body, 1.0)
    assert answer.json() == {"title": "boom \ufffd", "ok": "😀", "more": [{"\ufffd": None}]}


def test_evidence_with_lone_surrogates_is_written_and_read_back(masker: Masker, tmp_path: Path) -> None:
    log = EvidenceLog(tmp_path / "evidence.jsonl", masker)
    log.append("result", message="half \ud800 \u202e \x9b2J a pair")
    log.close()
    text = (tmp_path / "evidence.jsonl").read_text(encoding="utf-8")
    assert not {"\u202e", "\x9b"} & set(text)
    assert json.loads(text)["message"] == "half \\ud800 \u202e \x9b2J a pair"


@pytest.mark.parametrize(
    "text",
    [
        part * (200_000 // len(part))
        for part in [
            "%25",
            "\\",
            "&amp;",
            "=",
            "ab",
            "1,",
            "Zq7",
            "…Zq7…",
            "\x1b[",
            "@:",
            "a@",
            "0x",
            "postgresql://a:",
        ]
    ],
)
def test_masking_takes_bounded_time(masker: Masker, text: str) -> None:
    began = time.process_time()
    masker.text(text)
    assert time.process_time() - began < 5


CHECKS = '''
import json, logging, os, sys, warnings

WRITTEN = json.loads(open("written.json").read())

@pytest.mark.item("postdeploy.health")
def test_health(measure, record, record_property, record_testsuite_property, environment):
    """Everything that a check can say, in every form."""
    for text in WRITTEN:
        print(text)
        logging.getLogger("x").error("logged %s", text)
        warnings.warn(text, stacklevel=1)
    record_property("key", " ".join(WRITTEN))
    record_testsuite_property("suite", " ".join(WRITTEN))
    measure("secret", " ".join(WRITTEN))
    for text in WRITTEN:
        record(Exchange("GET", f"http://x/?q={text}", 200, 1.0, text, text))
    sys.stdout.flush()
    assert WRITTEN == [], f"wrong: {WRITTEN}"

@pytest.mark.item("postdeploy.data")
def test_data(environment):
    raise KeyError(*WRITTEN)

@pytest.mark.item("postdeploy.list")
def test_list(environment):
    raise Unverified(f"cannot use {WRITTEN}")
'''


def written_forms() -> Iterator[str]:
    values = [CREDENTIALS["TOY_API_KEY"], CREDENTIALS["TOY_PASSWORD"], PASSWORD]
    for form, write in FORMS.items():
        if form not in {"UTF-16 read as bytes", "coloured by a highlighter"}:
            yield from (write(value) for value in values)


def everywhere(toy: Toy, ran: Ran, *more: str) -> dict[str, str]:
    """Each output of a run, by its name."""
    assert ran.report is not None
    files = [path for path in ran.report.rglob("*") if path.is_file()]
    files += [toy.folder / name for name in more]
    return {"terminal": ran.out} | {path.name: path.read_text(errors="replace") for path in files}


@MOSTLY_ALONE
@pytest.mark.parametrize("options", [(), ("-s",), ("-l", "--tb=long", "-rA", "-vv")], ids=" ".join)
def test_no_form_comes_out_of_any_output(
    toy: Toy, workers: tuple[str, ...], options: tuple[str, ...]
) -> None:
    toy.write("written.json", json.dumps([*written_forms()]))
    toy.check("postdeploy/test_a.py", CHECKS)
    env = {name: CREDENTIALS[name] for name in ("TOY_API_KEY", "TOY_PASSWORD")} | {
        "TOY_DATABASE_URL": ADDRESS
    }
    log = ("-o", "log_cli=true", "--log-file=all.log") if not workers else ()
    ran = toy.run("-m", "postdeploy", "-W", "default", *options, *log, *workers, env=env)

    outputs = everywhere(toy, ran, *(("all.log",) if log else ()))
    assert {"terminal", "junit.xml", "report.html", "evidence.jsonl", "verdict.json", "deployment.md"} <= {
        *outputs
    }
    for name, text in outputs.items():
        assert "[TOY_API_KEY]" in text or name in {"deployment.md"}, name
        for value in (env["TOY_API_KEY"], env["TOY_PASSWORD"], PASSWORD):
            assert left(value, text) == [], name
            for form in ("base64", "base64, second place", "base64, third place", "hex", "hex with colons",
                         "percent-encoding of every byte", "a list of bytes, dense"):  # fmt: skip
                core = FORMS[form](value)[4:-6]
                assert left(core, text, 14) == [], (name, form)


SLOW_LOG = """
import logging, os, pathlib, time

@pytest.mark.item("postdeploy.health")
def test_health(environment):
    logging.getLogger("x").error("logged %s", os.environ["TOY_API_KEY"])
    until = time.monotonic() + 60
    while not pathlib.Path("go").exists() and time.monotonic() < until:
        time.sleep(0.01)
"""


def test_the_log_file_is_masked_while_it_is_written(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.check("postdeploy/test_a.py", SLOW_LOG)
    monkeypatch.setenv("TOY_API_KEY", CREDENTIALS["TOY_API_KEY"])
    process = toy.start("-m", "postdeploy", "--log-file=all.log")
    log = toy.folder / "all.log"
    try:
        wait_until(lambda: log.exists() and "logged" in log.read_text(), within_s=60)
        assert log.read_text().strip().endswith("logged [TOY_API_KEY]")
    finally:
        toy.write("go", "")
        toy.finished(process)
