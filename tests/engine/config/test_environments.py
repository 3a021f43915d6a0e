"""Environment files: the ones we ship are right, and every kind of mistake is told as a person would."""

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import ConfigurationError, available, load_environment
from kamiyo_verify.model.words import Mutations, Part, Tier

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "environments"
BAD = Path(__file__).parent / "bad_environments"
JARGON = ("pydantic", "input_value", "type=", "validation error", "Traceback", "canary", "CANARY")


def shipped(name: str) -> Environment:
    return load_environment(name, SHIPPED, overrides={}, variables={}, dotenv=None)


def test_the_shipped_environments_are_the_three() -> None:
    assert available(SHIPPED) == ("prod", "sandbox", "staging")


def test_prod_is_production_and_is_not_written_to() -> None:
    prod = shipped("prod")

    assert prod.production
    assert prod.mutations is Mutations.FORBIDDEN
    assert prod.absent == {Part.PROMETHEUS, Part.SLOW_QUERIES}
    assert prod.api_url == "https://api.kamiyo.ai"
    assert prod.frontend_url == "https://kamiyo.ai"
    assert set(prod.api.origins) == {"https://kamiyo.ai", "https://www.kamiyo.ai", "https://api.kamiyo.ai"}


def test_the_sandbox_is_launched_and_may_be_written_to() -> None:
    sandbox = shipped("sandbox")

    assert sandbox.launch is not None
    assert sandbox.launch.command == ("{python}", "-m", "sandbox")
    assert sandbox.mutations is Mutations.ALLOWED
    assert sandbox.api.tier is Tier.ENTERPRISE
    assert not sandbox.absent
    assert not sandbox.control.urls


def test_staging_sends_nothing_anywhere_until_it_is_edited() -> None:
    staging = shipped("staging")

    # RFC 2606 reserves .example: nobody can own such a name.
    assert all(re.fullmatch(r"https://[\w.-]+\.example", url) for url in staging.urls.values()), staging.urls
    assert staging.mutations is Mutations.FORBIDDEN


def test_no_two_environments_share_a_credential() -> None:
    names = [credential.name for name in available(SHIPPED) for credential in shipped(name).secrets.values()]

    assert len(names) == len(set(names))


def behind_a_hash(path: Path) -> set[str]:
    """The credentials of the tables that a file shows as comments."""
    text = path.read_text()
    listed = re.findall(r"^# channels = \[(.+)\]$", text, flags=re.MULTILINE)
    named = re.findall(r'^# (?:key|token|dsn|password) = "([A-Z_]+)"$', text, flags=re.MULTILINE)
    return {*named, *re.findall(r'"([A-Z_]+)"', "".join(listed))}


def test_the_example_names_every_credential_that_a_person_gives() -> None:
    wanted = {
        credential.name
        for name in available(SHIPPED)
        if shipped(name).launch is None
        for credential in shipped(name).secrets.values()
    } | behind_a_hash(SHIPPED / "prod.toml")
    example = dotenv_values(ROOT / ".env.example")

    assert set(example) == wanted
    assert not any(example.values()), "an example holds no value"


@pytest.mark.parametrize("path", sorted(BAD.glob("*.toml")), ids=lambda path: str(path.stem))
def test_a_bad_file_is_refused_in_plain_words(path: Path) -> None:
    expected = re.findall(r"^# says: (.+)$", path.read_text(encoding="latin-1"), flags=re.MULTILINE)

    with pytest.raises(ConfigurationError) as refused:
        load_environment(path.stem, BAD, overrides={}, variables={}, dotenv=None)

    message = str(refused.value)
    assert expected
    for words in (path.name, *expected):
        assert words in message
    for jargon in JARGON:
        assert jargon not in message
    assert refused.value.__cause__ is None
    assert len(expected) > 1 or "mistakes" not in message, "one file, one rule"


def test_an_unknown_name_is_told_the_names_that_there_are() -> None:
    with pytest.raises(
        ConfigurationError, match=r'no environment "prdo"; did you mean "prod"\? .*prod, sandbox'
    ):
        load_environment("prdo", SHIPPED, overrides={}, variables={}, dotenv=None)


def test_a_file_that_lies_elsewhere_is_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_bytes((SHIPPED / "staging.toml").read_bytes())
    path = str(tmp_path / "other.toml")

    assert load_environment(path, SHIPPED, overrides={}, variables={}, dotenv=None).name == "other"
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_environment(path.replace("other", "absent"), SHIPPED, overrides={}, variables={}, dotenv=None)


@pytest.mark.parametrize("name", ["../environments/prod", "", "PROD"])
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no environment"):
        load_environment(name, SHIPPED, overrides={}, variables={}, dotenv=None)


def test_a_folder_without_environments_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"has no environment; each is a file NAME\.toml"):
        load_environment("prod", tmp_path, overrides={}, variables={}, dotenv=None)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "here.toml").mkdir()

    with pytest.raises(ConfigurationError, match=r"here\.toml: cannot be read: "):
        load_environment("here", tmp_path, overrides={}, variables={}, dotenv=None)


def test_the_command_line_cannot_take_production_off_https() -> None:
    with pytest.raises(
        ConfigurationError, match=r"command line, services\.api\.url: must be https in production"
    ):
        load_environment(
            "prod", SHIPPED, overrides={"services.api.url": "http://api.kamiyo.ai"}, variables={}, dotenv=None
        )
