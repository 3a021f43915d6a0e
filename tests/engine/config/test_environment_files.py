"""An environment is put together from its file, the command line, credentials and a launched platform."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kamiyo_verify.config.dotenv_file import read_dotenv
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import ConfigurationError, load_environment, with_launched

GOOD = '[services.api]\nurl = "https://api.example.com"\n\n[services.frontend]\nurl = "https://example.com"\n'
READY = {
    "settings": {
        "services.api.url": "http://127.0.0.1:8001",
        "api.origins": ["http://127.0.0.1:8002"],
        "api.heartbeat_s": 3,
    },
    "credentials": {"KAMIYO_API_KEY": "launched", "TEST_EMAIL": ""},
    "control_url": "http://127.0.0.1:8003",
}

Load = Callable[..., Environment]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a file of this text as the environment "here"."""

    def _load(
        text: str = GOOD,
        *,
        overrides: dict[str, str] | None = None,
        variables: dict[str, str] | None = None,
        dotenv: str | None = None,
        launched: dict[str, object] | None = None,
    ) -> Environment:
        (tmp_path / "here.toml").write_text(text, encoding="utf-8")
        if dotenv is not None:
            (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
        return load_environment(
            "here",
            tmp_path,
            overrides=overrides or {},
            variables=variables or {},
            dotenv=tmp_path / ".env",
            launched=launched,
        )

    return _load


def test_a_file_from_a_windows_editor_is_read(load: Load) -> None:
    assert load("\ufeff" + GOOD.replace("\n", "\r\n")).api_url == "https://api.example.com"


def test_the_command_line_wins_over_the_file(load: Load) -> None:
    here = load(
        overrides={"services.api.url": "http://localhost:8000/", "payments.url": "https://pay.example.com"}
    )

    assert here.api_url == "http://localhost:8000"
    assert here.payments.url == "https://pay.example.com"
    assert here.frontend_url == "https://example.com"


def test_a_mistake_on_the_command_line_is_told_as_one(load: Load) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(
            overrides={
                "services.api.url": "localhost:8000",
                "services.api.ulr": "https://x.example.com",
                "title.x": "y",
            }
        )

    message = str(refused.value)
    assert "command line, services.api.url: must be an http(s) URL" in message
    assert 'command line, services.api.ulr: unknown key; did you mean "url"?' in message


@pytest.mark.parametrize(
    ("variables", "dotenv", "expected"),
    [
        ({"KAMIYO_API_KEY": "process"}, "KAMIYO_API_KEY=file", "process"),
        ({}, "KAMIYO_API_KEY=file", "file"),
        ({"KAMIYO_API_KEY": "  "}, "KAMIYO_API_KEY=file", "file"),
        ({"KAMIYO_API_KEY": ""}, "KAMIYO_API_KEY=", "launched"),
        ({}, "KAMIYO_API_KEY", "launched"),
        ({}, None, "launched"),
        ({}, "\ufeffKAMIYO_API_KEY='a # b ${HOME}'", "a # b ${HOME}"),
        ({"KAMIYO_API_KEY": "pasted\r\n"}, None, "pasted"),
        ({"KAMIYO_API_KEY": " spaced "}, None, " spaced "),
    ],
)
def test_a_credential_comes_from_the_first_place_that_has_one(
    load: Load, variables: dict[str, str], dotenv: str | None, expected: str
) -> None:
    here = load(variables=variables, dotenv=dotenv, launched=READY)

    assert here.api.key.reveal() == expected


def test_a_missing_credential_stops_nothing_and_keeps_its_name(load: Load) -> None:
    here = load('[sign_in]\nemail = "MY_EMAIL"\n\n' + GOOD, variables={"MY_EMAIL": "   "})

    assert here.sign_in.email.name == "MY_EMAIL"
    assert not any(credential.present for credential in here.secrets.values())


def test_every_credential_is_found_and_none_is_shown(load: Load) -> None:
    names = {credential.name for credential in load().secrets.values()}
    here = load(variables={name: f"canary-{name}" for name in names})

    for credential in here.secrets.values():
        assert credential.reveal() == f"canary-{credential.name}"
    assert "canary" not in f"{here!r} {here} {here.model_dump_json()}"


def test_nothing_leaks_into_the_process_environment(load: Load) -> None:
    before = dict(os.environ)

    load(dotenv="KAMIYO_API_KEY=file\nSOMETHING_ELSE=1")

    assert dict(os.environ) == before


def test_a_dotenv_file_that_is_no_text_is_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"KAMIYO_API_KEY=can\xffary")

    with pytest.raises(ConfigurationError, match=r"\.env: is not UTF-8 text") as refused:
        load()
    assert "ary" not in str(refused.value)


def test_a_launched_platform_says_where_it_is(load: Load) -> None:
    here = with_launched(load(variables={"TEST_EMAIL": "ada@example.com"}), READY)

    assert here.api_url == "http://127.0.0.1:8001"
    assert here.api.origins == ("http://127.0.0.1:8002",)
    assert here.api.heartbeat_s == 3
    assert here.api.key.reveal() == "launched"
    assert here.sign_in.email.reveal() == "ada@example.com"
    assert here.control.urls[-1] == "http://127.0.0.1:8003"
    assert not here.sign_in.password.present


def test_what_was_there_before_the_launch_stays(load: Load) -> None:
    before = load(variables={"KAMIYO_API_KEY": "mine"}, overrides={"frontend.title": "Mine"})
    here = with_launched(before, READY)

    assert here.api.key.reveal() == "mine"
    assert here.frontend == before.frontend


def test_the_command_line_wins_over_the_launch(load: Load) -> None:
    here = load(overrides={"services.api.url": "http://localhost:1"}, launched=READY)

    assert here.api_url == "http://localhost:1"
    assert here.api.origins == ("http://127.0.0.1:8002",)


@pytest.mark.parametrize(
    ("ready", "says"),
    [
        ({"setings": {}}, 'ready line: 1 mistake\n  setings: unknown key; did you mean "settings"?'),
        ({"settings": []}, "settings: must be a table"),
        (
            {"settings": {"services.api.urll": "x"}},
            'ready line, services.api.urll: unknown key; did you mean "url"?',
        ),
        (
            {"settings": {"services.api.url": "127.0.0.1:1"}},
            "ready line, services.api.url: must be an http(s) URL",
        ),
        ({"settings": {"api.heartbeat_s": "2"}}, "ready line, api.heartbeat_s: must be a number"),
        ({"settings": {"api.key": "canary-1"}}, "ready line, api.key: write the NAME"),
        ({"credentials": {"KAMIYO_API_KEY": 5}}, "credentials.KAMIYO_API_KEY: must be text"),
        ({"control_url": "nowhere"}, "control.urls[1]: must be an http(s) URL"),
    ],
)
def test_a_bad_ready_line_is_refused(load: Load, ready: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        with_launched(load(), ready)

    assert says in str(refused.value)
    assert "canary" not in str(refused.value)


DECLARED = """[credentials.operator]
variable = "NOTES_PASSWORD"
send = "basic"
user = "ann"
services = ["api"]

"""


def test_a_declared_credential_is_found_like_every_other(load: Load) -> None:
    here = load(DECLARED + GOOD, variables={"NOTES_PASSWORD": "canary"}, launched=READY)

    assert here.credentials["operator"].variable.reveal() == "canary"
    assert here.secrets["credentials.operator.variable"].name == "NOTES_PASSWORD"
    assert "canary" not in f"{here!r} {here} {here.model_dump_json()}"


def test_a_secret_written_in_place_of_its_variable_is_refused_and_not_repeated(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"credentials\.operator\.variable") as refused:
        load(DECLARED.replace("NOTES_PASSWORD", "hunter2-canary") + GOOD)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ('services = ["api"]', 'services = ["apl"]', 'did you mean "api"'),
        ('services = ["api"]', "services = []", "must not be empty"),
        ('send = "basic"', 'send = "bearer"', "user is for"),
        ('variable = "NOTES_PASSWORD"\n', "", "is missing"),
    ],
)
def test_a_declaration_with_a_mistake_is_told(load: Load, written: str, instead: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load(DECLARED.replace(written, instead) + GOOD)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("A=1\nset B=s3cret\n", 2),
        ("KAMIYO_API_KEY: s3cret\n", 1),
        ('\nA="s3cret\nB=2\n', 2),
        ("A='s3cret'x\n", 1),
    ],
)
def test_a_line_of_a_dotenv_file_that_cannot_be_read_is_told_by_its_number(
    load: Load, text: str, number: int
) -> None:
    with pytest.raises(ConfigurationError, match=rf"\.env: line {number} is not NAME=value") as refused:
        load(dotenv=text)
    assert "s3cret" not in str(refused.value)


def test_the_forms_of_a_dotenv_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(
        b"\xef\xbb\xbfFIRST=1\r\nexport SECOND='a # b' # c\r\n# no line\r\n\r\n"
        b"THIRD=pa#ss$x${y}\r\nFOURTH=\r\nFIFTH\r\n"
        b'PEM="-----BEGIN\r\nx\r\n-----END"\r\n'
    )
    found = read_dotenv(path)
    assert (found["FIRST"], found["SECOND"], found["THIRD"]) == ("1", "a # b", "pa#ss$x${y}")
    assert (found["FOURTH"], found["FIFTH"], str(found["PEM"]).split()) == (
        "",
        None,
        ["-----BEGIN", "x", "-----END"],
    )


@pytest.mark.parametrize(("text", "title"), [("", "the-shop"), ('title = "Our shop"\n', "Our shop")])
def test_what_has_no_title_is_called_as_its_project(text: str, title: str, tmp_path: Path) -> None:
    folder = tmp_path / "the-shop" / "environments"
    folder.mkdir(parents=True)
    (folder / "here.toml").write_text(text + GOOD, encoding="utf-8")
    here = load_environment("here", folder, overrides={}, variables={}, dotenv=None)
    assert here.title == title
