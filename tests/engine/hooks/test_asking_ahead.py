"""On a slow platform the checks that only ask overlap; what they find, and its evidence, is as in turn."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.slow_server import SlowServer, slow_server
from tests.support.toy_project import Ran, Toy

pytest_plugins = ["pytester"]

SLOW_S = 0.15
PATHS = [f"/{name}" for name in "abcdefgh"]

CHECKS = """
{mark}

@pytest.fixture
def pages(http):
    # Two requests before the check itself begins.
    return [http("api").get("/pages?page=1"), http("api").get("/pages?page=2")]

@pytest.fixture
def cleaned(http):
    yield http("api")

@pytest.mark.item("postdeploy.health")
@pytest.mark.parametrize("path", {paths})
def test_health(http, measure, path):
    answer = http("api").get(path)
    measure("status", answer.status, of=path)
    assert answer.status == 200, f"{{path}} answered {{answer.status}}"

@pytest.mark.item("postdeploy.list")
def test_list(pages, http):
    assert [page.status for page in pages] == [200, 200]
    assert http("api").get("/more").status == 200

@pytest.mark.item("postdeploy.live")
def test_live(cleaned, request):
    # A fixture with an end of its own, and another thing of pytest's: in turn.
    assert request.node.name == "test_live"
    assert cleaned.get("/live").status == 200
"""


def run(toy: Toy, server: SlowServer, *arguments: str, mark: str = "pytestmark = pytest.mark.asks") -> Ran:
    toy.items({"postdeploy.health": "core", "postdeploy.list": "feature", "postdeploy.live": "feature"})
    toy.environment()
    path = toy.folder / "environments" / "toy.toml"
    text = path.read_text().replace('url = "http://127.0.0.1:9"', f'url = "{server.origin}"')
    path.write_text(text.replace("answer = 1\n", "answer = 30\n"))
    toy.check("postdeploy/test_a.py", CHECKS.format(mark=mark, paths=PATHS))
    return toy.run("-m", "postdeploy", *arguments)


def found(ran: Ran) -> list[object]:
    """What a run found, without times, and without the looks at what failed: their number depends on time."""
    return [
        (
            item.id,
            item.status,
            item.message.partition(" – ")[0],
            [(taken.name, taken.value) for taken in item.measurements],
            [(attempt.status, attempt.message) for attempt in item.attempts],
        )
        for item in ran.verdict.items
    ]


def exchanges(ran: Ran) -> list[tuple[str, str, int]]:
    return [
        (row["item"], exchange["url"].partition("//")[2].partition("/")[2], exchange["status"])
        for row in ran.evidence
        for exchange in row.get("exchanges", ())
    ]


def test_a_slow_platform_is_asked_ahead_each_thing_once_and_with_the_same_evidence(toy: Toy) -> None:
    with slow_server(SLOW_S) as server:
        ran = run(toy, server)
    with slow_server(SLOW_S) as plain:
        in_turn = run(toy, plain, mark="")

    assert ran.code == in_turn.code, ran.out
    assert found(ran) == found(in_turn)
    assert exchanges(ran) == exchanges(in_turn)
    assert Counter(server.asked) == Counter(plain.asked), "each request is sent once"
    assert plain.most == 1
    assert 2 <= server.most <= 5, "four ahead at most, and the check whose turn it is"


@pytest.mark.parametrize(
    "path",
    ["/d", *[pytest.param(path, marks=pytest.mark.exhaustive) for path in ("/pages?page=2", "/more")]],
)
def test_a_failure_that_was_met_ahead_is_the_failure_of_its_item(toy: Toy, path: str) -> None:
    with slow_server(SLOW_S, {path: 500}) as server:
        ran = run(toy, server)
    with slow_server(SLOW_S, {path: 500}) as plain:
        in_turn = run(toy, plain, mark="")

    assert ran.code == in_turn.code, ran.out
    assert found(ran) == found(in_turn)
    first = next(row for row in ran.evidence if any(one["status"] == 500 for one in row.get("exchanges", ())))
    bad = [one["url"].removeprefix(server.origin) for one in first["exchanges"] if one["status"] == 500]
    assert bad == [path], "it is not lost, and counts once"


def test_workers_ask_in_turn(toy: Toy) -> None:
    with slow_server(SLOW_S) as server:
        ran = run(toy, server, "-n", "2")
    assert ran.statuses["postdeploy.health"] == "passed", ran.out
    assert server.most <= 2, "one request of each worker"
