"""What a person vouches for counts: for its commit, for its time, and for what only people can do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kamiyo_verify.config.attestations import load_attestations, word_on
from kamiyo_verify.config.environments import ConfigurationError, load_runbook
from kamiyo_verify.model.attestation import Attestation
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.runbook import Runbook
from tests.support.toy_project import ITEMS, MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

COMMIT = "9c41d07e5a3b2c1d0f9e8d7c6b5a493827160504"
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
WORD = """\
[[attestations]]
item = "deploy.team-told"
who = "Ada Lovelace"
what = "posted in #deployments"
when = "2026-11-23T14:00:00Z"
"""


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(Path(__file__).parents[3] / "runbook.toml")


@pytest.fixture
def load(runbook: Runbook, tmp_path: Path) -> Load:
    return Load(runbook, tmp_path)


class Load:
    """Loads what files in a folder and the command line say."""

    def __init__(self, runbook: Runbook, folder: Path) -> None:
        self.runbook = runbook
        self.folder = folder

    def write(self, text: str, name: str = COMMIT, commit: str = COMMIT) -> Path:
        path = self.folder / f"{name}.toml"
        path.write_text(f'commit = "{commit}"\n\n{text}', encoding="utf-8")
        return path

    def __call__(self, commit: str = COMMIT, **said: str) -> dict[str, Attestation]:
        spoken = {item.replace("__", ".").replace("_", "-"): words for item, words in said.items()}
        return load_attestations(
            self.runbook, said=spoken, commit=commit, folders=[self.folder, self.folder], now=NOW
        )


def test_a_file_tells_who_when_and_what(load: Load) -> None:
    load.write(WORD)
    word = load()["deploy.team-told"]

    assert (word.who, word.what, word.when) == (
        "Ada Lovelace",
        "posted in #deployments",
        NOW - timedelta(hours=1),
    )
    assert str(word) == "Ada Lovelace: posted in #deployments (2026-11-23 14:00 UTC)"


@pytest.mark.parametrize("asked", [COMMIT, COMMIT[:7], COMMIT[:20]])
@pytest.mark.parametrize("name", [COMMIT, COMMIT[:7], COMMIT[:12]])
def test_a_commit_goes_by_seven_characters_or_more(load: Load, asked: str, name: str) -> None:
    load.write(WORD, name=name, commit=name)

    assert "deploy.team-told" in load(asked)


def test_a_word_on_another_commit_does_not_count(load: Load) -> None:
    load.write(WORD)

    assert load("1" * 40) == {}


def test_without_a_commit_no_file_is_read(load: Load) -> None:
    load.write("this is no TOML")

    assert load("") == {}
    assert load("", deploy__team_told="Ada: did")["deploy.team-told"].when == NOW


def test_a_broken_file_of_another_commit_is_in_nobodys_way(load: Load) -> None:
    load.write("this is no TOML", name="1234567")

    assert load() == {}


def test_the_command_line_counts_as_said_now(load: Load) -> None:
    load.write(WORD)
    word = load(deploy__team_told="Grace: told them again")["deploy.team-told"]

    assert (word.who, word.when, word.until) == ("Grace", NOW, NOW + timedelta(hours=72))


def test_the_latest_of_two_words_stands(load: Load) -> None:
    later = WORD.replace("14:00", "14:30").replace("Ada Lovelace", "Grace Hopper")
    load.write(f"{later}\n{WORD}")

    assert load()["deploy.team-told"].who == "Grace Hopper"


def test_a_word_lasts_three_days(load: Load) -> None:
    load.write(WORD)
    words = load()
    end = NOW + timedelta(hours=71)

    assert word_on("deploy.team-told", words, end - timedelta(seconds=1))
    with pytest.raises(Unverified, match=r"waiting for a person: .*expired at 2026-11-26 14:00 UTC"):
        word_on("deploy.team-told", words, end)


def test_a_word_can_name_its_own_end(load: Load) -> None:
    load.write(WORD + 'expires = "2026-11-23T15:30:00+00:00"\n')
    words = load()

    assert word_on("deploy.team-told", words, NOW)
    with pytest.raises(Unverified, match="expired"):
        word_on("deploy.team-told", words, NOW + timedelta(minutes=30))


def test_where_nobody_spoke_the_item_waits(load: Load) -> None:
    with pytest.raises(Unverified, match=r"^waiting for a person"):
        word_on("deploy.team-told", load(), NOW)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            WORD.replace("team-told", "team-tld"),
            'no item "deploy.team-tld"; did you mean "deploy.team-told"?',
        ),
        (WORD.replace("deploy.team-told", "x.y"), "people vouch for: preflight.migration-plan-reviewed, "),
        (WORD.replace("team-told", "triggered"), "deploy.triggered is checked by this suite"),
        (WORD.replace("team-told", "triggered"), "people vouch for: deploy.team-told, deploy.status-page-"),
        (WORD.replace("T14:00", "T15:06"), "attestations[0].when: is in the future"),
        (WORD.replace("T14:00:00Z", "T14:00:00"), "must be a time with its zone"),
        (WORD.replace("2026-11-23T14:00:00Z", "yesterday"), "must be a time with its zone"),
        (WORD.replace('"2026-11-23T14:00:00Z"', "2026-11-23T14:00:00Z"), "text needs quotes"),
        (WORD.replace("Ada Lovelace", " "), "line 5, attestations[0].who: must not be empty"),
        (WORD.replace('who = "Ada Lovelace"\n', ""), "attestations[0].who: is missing"),
        (WORD.replace("posted", "x" * 600), "attestations[0].what: must be one line of at most 500"),
        (WORD.replace("posted", "\\u001b[31m"), "attestations[0].what: must be one line"),
        (WORD + 'expires = "2026-11-23T13:00:00Z"\n', "attestations[0].expires: must be later than when"),
        (WORD + "sure = true\n", "unknown key; the keys here are: item, who, what, when, expires"),
        ("", "attestations: is missing"),
        ("attestations = []\n", "attestations: must not be empty"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_key(load: Load, text: str, told: str) -> None:
    path = load.write(text)

    with pytest.raises(ConfigurationError) as error:
        load()
    assert str(error.value).startswith(f"{path}: 1 mistake"), error.value
    assert told in str(error.value)


def test_the_file_and_its_name_speak_of_one_commit(load: Load) -> None:
    load.write(WORD, commit="1" * 40)

    with pytest.raises(ConfigurationError, match="commit: is another commit than the one"):
        load()


@pytest.mark.parametrize("name", ["9c41d0", "release", COMMIT.upper(), COMMIT + "0"])
def test_a_file_that_is_named_after_no_commit_is_refused(load: Load, name: str) -> None:
    load.write(WORD, name=name)

    with pytest.raises(ConfigurationError, match="is named after no commit"):
        load()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"deploy__team_tld": "Ada: did"},
            "--attest deploy.team-tld: the runbook has no item",
        ),
        (
            {"deploy__triggered": "Ada: did"},
            "--attest deploy.triggered: deploy.triggered is checked",
        ),
        ({"deploy__team_told": "Ada: did\x1b[31m"}, "--attest deploy.team-told: what must be one line"),
    ],
)
def test_the_command_line_is_held_to_the_same(load: Load, said: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(**said)
    assert told in str(error.value)


BY_HAND = """
[[sections]]
title = "1"

[[sections.items]]
id = "preflight.review"
title = "Reviewed"
impact = "process"
manual = true
"""
CHECK = """
REVIEW = "preflight.review"

@pytest.mark.parametrize("item", [pytest.param(REVIEW, marks=pytest.mark.item(REVIEW))])
def test_a_person_vouches(item, attestation, measure):
    measure("who", attestation.who)
    measure("when", f"{attestation.when:%H:%M}")
    measure("what", attestation.what)
    assert attestation.item == item
"""


@MOSTLY_ALONE
def test_a_check_hears_what_people_say(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.items(ITEMS, more=BY_HAND)
    toy.check("preflight/test_a.py", CHECK)

    waiting = toy.run("-m", "preflight", "--commit", COMMIT, *workers)
    assert waiting.statuses["preflight.review"] == "unverified"
    assert waiting.message("preflight.review").startswith("waiting for a person")

    when = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    word = WORD.replace("deploy.team-told", "preflight.review").replace("2026-11-23T14:00:00Z", when)
    toy.write(f"attestations/{COMMIT[:8]}.toml", f'commit = "{COMMIT}"\n{word}')
    vouched = toy.run("-m", "preflight", "--commit", COMMIT, *workers)
    assert vouched.statuses["preflight.review"] == "passed"
    item = next(item for item in vouched.verdict.items if item.id == "preflight.review")
    assert [(taken.name, taken.value) for taken in item.measurements][::2] == [
        ("who", "Ada Lovelace"),
        ("what", "posted in #deployments"),
    ]


def test_a_mistake_ends_the_run_before_it_begins(toy: Toy) -> None:
    toy.items(ITEMS, more=BY_HAND)
    toy.check("preflight/test_a.py", CHECK)
    toy.write(f"attestations/{COMMIT}.toml", f'commit = "{COMMIT}"\n{WORD}')
    ran = toy.run("-m", "preflight", "--commit", COMMIT)

    assert ran.code == 4
    assert f"attestations/{COMMIT}.toml: " in ran.out
    assert 'attestations[0].item: the runbook has no item "deploy.team-told"' in ran.out
    assert "Traceback" not in ran.out


def test_a_person_cannot_vouch_for_what_a_machine_checks(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECK.replace("preflight.review", "postdeploy.health"))
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 4
    assert "asks a person, but postdeploy.health is not manual" in ran.out
