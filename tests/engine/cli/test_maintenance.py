"""The status page goes to maintenance and comes back as it was, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kamiyo_verify.cli.maintenance import main
from tests.support.hostile_server import Script, Server, answer, saying
from tests.support.outside import Outside, outside

KEY = "kanarienSchl0ssel"
ENVIRONMENT = """
mutations = "{mutations}"
[services.api]
url = "http://127.0.0.1:9"
[services.frontend]
url = "http://127.0.0.1:9"
[timeouts]
connect = 2
answer = 2
item = 5
[status_pages]
own_address = "{address}"
own_page_id = "kamiyosandbox"
own_key = "PAGE_KEY"
{more}
"""


class Project:
    """A folder with one environment, whose page is the sandbox's or a server's."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.journal = folder / "reports/live/maintenance.json"
        self._capture = capture

    def environment(self, address: str, more: str = "", *, mutations: str = "allowed") -> None:
        text = ENVIRONMENT.format(address=address, more=more, mutations=mutations)
        (self.folder / "environments").mkdir(exist_ok=True)
        (self.folder / "environments/live.toml").write_text(text, encoding="utf-8")

    def run(self, way: str, code: int = 0) -> list[str]:
        """Its lines, those of an error last."""
        found = main([way, "--env", "live"])
        out, err = self._capture.readouterr()
        assert found == code, out + err
        assert KEY not in out + err
        assert bool(err) == bool(code)
        return [*out.splitlines(), *err.splitlines()]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAGE_KEY", KEY)
    return Project(tmp_path, capsys)


@pytest.fixture
def living(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with outside() as living:
        project.environment(f"{living.clients.origin}/statuspage")
        monkeypatch.setenv("PAGE_KEY", living.secrets.statuspage_key)
        yield living


def statuses(living: Outside) -> dict[str, str]:
    return {part.name: part.status.value for part in living.clients.status_pages.own_components()}


def test_there_and_back(project: Project, living: Outside) -> None:
    assert project.run("on") == [
        "API: operational → under maintenance",
        "Website: operational → under maintenance",
    ]
    assert statuses(living) == {"API": "under_maintenance", "Website": "under_maintenance"}
    assert {row["name"]: row["status"] for row in json.loads(project.journal.read_text())["components"]} == {
        "API": "operational",
        "Website": "operational",
    }

    assert project.run("on") == ["API: under maintenance already", "Website: under maintenance already"]
    assert project.run("off") == [
        "API: under maintenance → operational",
        "Website: under maintenance → operational",
    ]
    assert statuses(living) == {"API": "operational", "Website": "operational"}
    assert not project.journal.exists()
    assert project.run("off")[1:] == [
        "API: operational, left as it is",
        "Website: operational, left as it is",
    ]


def test_what_was_not_operational_before_is_not_afterwards(project: Project, living: Outside) -> None:
    pages = living.clients.status_pages
    api = pages.own_components()[0]
    pages.set_status(api, type(api.status)("partial_outage"))
    project.run("on")
    project.run("on")
    project.run("off")

    assert statuses(living) == {"API": "partial_outage", "Website": "operational"}


def test_what_somebody_set_meanwhile_is_left_alone(project: Project, living: Outside) -> None:
    project.run("on")
    pages = living.clients.status_pages
    api = pages.own_components()[0]
    pages.set_status(api, type(api.status)("major_outage"))

    assert project.run("off") == [
        "API: major outage, left as it is",
        "Website: under maintenance → operational",
    ]


def test_without_a_journal_operational_is_taken_for_it(project: Project, living: Outside) -> None:
    project.run("on")
    project.journal.unlink()
    told = project.run("off")

    assert "is not written down here: operational is taken for it" in told[0]
    assert set(statuses(living).values()) == {"operational"}


def test_only_the_components_that_are_named_are_touched(project: Project, living: Outside) -> None:
    address = f"{living.clients.origin}/statuspage"
    project.environment(address, 'components = ["api"]')
    project.run("on")
    assert statuses(living) == {"API": "under_maintenance", "Website": "operational"}
    project.run("off")

    project.environment(address, 'components = ["api", "Shop"]')
    assert (
        "has no component Shop: mend [status_pages] components; there are: API, Website"
        in project.run("on", 2)[0]
    )
    assert set(statuses(living).values()) == {"operational"}


PARTS = json.dumps(
    [
        {"id": "g", "name": "All", "status": "operational", "group": True},
        {"id": "a", "name": "API", "status": "operational", "group": False},
        {"id": "b", "name": "Website", "status": "degraded_performance", "group": None},
    ]
).encode()


def part(name: str, status: str) -> bytes:
    return json.dumps({"id": name[0].lower(), "name": name, "status": status}).encode()


def test_half_way_is_finished_by_running_it_again(project: Project) -> None:
    answers = [PARTS, part("API", "under_maintenance")]
    script = Script([*(saying(answer(body)) for body in answers), saying(answer(b"{}", "500 Oops"))])
    with Server(script) as server:
        project.environment(server.origin)
        told = project.run("on", 1)
    assert told[0] == "API: operational → under maintenance"
    assert "answered 500" in told[1]
    assert told[2].endswith("run it again to finish: make maintenance ENV=live ARGS=on")
    before = {row["name"]: row["status"] for row in json.loads(project.journal.read_text())["components"]}
    assert before == {"API": "operational", "Website": "degraded_performance"}

    now = json.loads(PARTS)
    now[1]["status"] = "under_maintenance"
    answers = [json.dumps(now).encode(), part("Website", "under_maintenance")]
    with Server(Script([saying(answer(body)) for body in answers])) as server:
        project.environment(server.origin)
        told = project.run("on")
        assert server.asked[1].startswith(b"PATCH /v1/pages/kamiyosandbox/components/b ")
    assert told == ["API: under maintenance already", "Website: degraded performance → under maintenance"]
    assert {
        row["name"]: row["status"] for row in json.loads(project.journal.read_text())["components"]
    } == before

    now[2]["status"] = "under_maintenance"
    answers = [json.dumps(now).encode(), part("API", "operational"), part("Website", "degraded_performance")]
    with Server(Script([saying(answer(body)) for body in answers])) as server:
        project.environment(server.origin)
        told = project.run("off")
    assert told == [
        "API: under maintenance → operational",
        "Website: under maintenance → degraded performance",
    ]


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (
            [PARTS, part("API", "operational")],
            "API was to be under_maintenance, and the page says operational",
        ),
        ([PARTS, b"[]"], "gave no usable answer"),
        ([b'{"error": "x"}'], "gave no usable answer"),
    ],
)
def test_a_page_that_does_not_take_it_is_told(project: Project, answers: list[bytes], says: str) -> None:
    with Server(Script([saying(answer(body)) for body in answers])) as server:
        project.environment(server.origin)
        assert says in "\n".join(project.run("on", 1))


def test_a_key_that_is_not_accepted_is_told_by_name(project: Project) -> None:
    with Server(saying(answer(b"{}", "401 No"))) as server:
        project.environment(server.origin)
        assert "PAGE_KEY is not accepted" in project.run("on", 1)[0]
    assert not project.journal.exists(), "nothing was begun"


def test_a_journal_of_something_else_is_not_believed(project: Project, living: Outside) -> None:
    project.run("on")
    text = project.journal.read_text()
    for other in (text.replace("kamiyosandbox", "another"), "{", "", "[]"):
        project.journal.write_text(other)
        for way in ("on", "off"):
            assert "does not say what the components of this page were" in project.run(way, 1)[0]
    assert statuses(living) == {"API": "under_maintenance", "Website": "under_maintenance"}


def test_where_nothing_may_be_written_the_page_needs_a_word_of_its_own(
    project: Project, living: Outside
) -> None:
    address = f"{living.clients.origin}/statuspage"
    project.environment(address, mutations="forbidden")
    [told] = project.run("on", 2)
    assert told == (
        'mutations = "forbidden" in live: to let this command set the status page all the same, write '
        "allow_maintenance = true in [status_pages] of environments/live.toml"
    )
    project.environment(address, "allow_maintenance = true", mutations="forbidden")
    assert len(project.run("on")) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("own_page_id", "# "), "live names no status page of ours: set own_page_id in [status_pages]"),
        (('own_key = "PAGE_KEY"', 'own_key = "OTHER_KEY"'), "OTHER_KEY is not set"),
        (("[services.api]", '[launch]\ncommand = ["x"]\n[services.api]'), "live is started by each run"),
        (("[timeouts]", "[timeout]"), "unknown key"),
    ],
)
def test_what_is_missing_is_told(project: Project, change: tuple[str, str], says: str) -> None:
    project.environment("http://127.0.0.1:9")
    path = project.folder / "environments/live.toml"
    path.write_text(path.read_text().replace(*change))
    assert says in "\n".join(project.run("on", 2))
