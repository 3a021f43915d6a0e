"""`watch --serve`: the live state as a page and as metrics, and nothing else, for whoever only reads."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kamiyo_verify.cli import serve_options
from kamiyo_verify.cli.read_only_server import HEADERS, ReadOnlyServer
from kamiyo_verify.cli.watch.command import main
from kamiyo_verify.cli.watch.serving import LiveWatch, create_app
from kamiyo_verify.cli.watch.watching import Watching
from kamiyo_verify.evidence.watch_journal import WatchJournal
from kamiyo_verify.judge.watch.call import Watch
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.history.watch import RoundRecord, WatchView
from kamiyo_verify.model.words import Action
from kamiyo_verify.webhook.connections import Limits, bounded
from tests.engine.cli.test_watch import Recorded
from tests.engine.judge.watch.journals import journal, never, plan, record, share
from tests.support.sandbox_process import request
from tests.support.serving import serving as running

ROOT = Path(__file__).parents[3]
SECRET = "hunter2-but-longer"


def viewed(records: Sequence[RoundRecord], *, over: bool = False) -> WatchView:
    watch = Watch(plan(20), 0.95)
    for one in records:
        watch.take(one)
    return WatchView(plan=plan(20), state=watch.state, latest=records[-1] if records else None, over=over)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[tuple[LiveWatch, str]]:
    """A watch that may be shown, and where; its first two rounds have reports."""
    for number in (1, 2, 3):
        folder = tmp_path / "rounds" / f"{number:04}"
        folder.mkdir(parents=True)
        (folder / "report.html").write_text(f"<p>report {number}")
    (tmp_path / "watch.json").write_text(SECRET)
    masker = Masker()
    masker.learn_values({"SIGN_IN_PASSWORD": SECRET})
    live = LiveWatch(tmp_path, masker)
    with running(create_app(live, {"127.0.0.1"}), bounded(Limits())) as origin:
        yield live, origin


def values(origin: str) -> dict[str, float]:
    """The metrics by name; the recommendation by its label."""
    families = text_string_to_metric_families(request("GET", f"{origin}/metrics").text)
    return {
        sample.labels.get("recommendation", sample.name.removeprefix("kamiyo_verify_watch_")): sample.value
        for family in families
        for sample in family.samples
    }


def test_before_a_round_has_ended_nothing_is_said_of_the_platform(shown: tuple[LiveWatch, str]) -> None:
    live, origin = shown
    assert request("GET", f"{origin}/").status_code == 503
    assert request("GET", f"{origin}/metrics").status_code == 503
    live.show(viewed(()))
    page = request("GET", f"{origin}/").text
    assert "THE FIRST ROUND RUNS" in page
    assert "kv-call-inconclusive" in page
    found = values(origin)
    assert "proceed" not in found
    assert (found["rounds"], found["over"]) == (0, 0)


@pytest.mark.parametrize(
    ("records", "over", "call", "title"),
    [
        (journal(never, 3), False, Action.PROCEED, "WELL SO FAR"),
        (journal(never, 20), True, Action.PROCEED, "PROCEED"),
        (journal(share(1.0, 3), 3), False, Action.ROLL_BACK, "ROLL BACK"),
        (journal(share(1.0, 3), 3), True, Action.ROLL_BACK, "ROLL BACK"),
        ((record(1, call=None),), True, Action.INCONCLUSIVE, "INCONCLUSIVE"),
    ],
    ids=["goes on", "is over", "is broken", "ended broken", "shows nothing"],
)
def test_page_and_metrics_say_the_same(
    records: Sequence[RoundRecord],
    over: bool,  # noqa: FBT001 - a case
    call: Action,
    title: str,
    shown: tuple[LiveWatch, str],
) -> None:
    live, origin = shown
    view = viewed(records, over=over)
    live.show(view)
    page, found = request("GET", f"{origin}/").text, values(origin)
    assert f">{title}<" in page
    assert ('http-equiv="refresh"' in page) is not over
    assert [action.value for action in Action if found[action.value]] == [call.value]
    assert (found["rounds"], found["requests"]) == (view.state.rounds, view.state.requests)
    assert found["failed_requests"] == view.state.failed
    for ground in view.state.grounds:
        assert ground.text in page


def test_a_round_has_a_report_once_it_has_ended_and_nothing_else_is_served(
    shown: tuple[LiveWatch, str], tmp_path: Path
) -> None:
    live, origin = shown
    live.show(viewed(journal(never, 2)))
    assert 'href="rounds/2"' in request("GET", f"{origin}/").text
    assert request("GET", f"{origin}/rounds/2").text == "<p>report 2"
    for path in (
        "rounds/3",
        "rounds/0",
        "rounds/-1",
        "rounds/1e0",
        "rounds/0001/evidence.jsonl",
        "watch.json",
    ):
        answer = request("GET", f"{origin}/{path}")
        assert answer.status_code == 404, path
        assert SECRET not in answer.text
    outside = tmp_path.parent / "outside.html"
    outside.write_text(SECRET)
    report = tmp_path / "rounds" / "0001" / "report.html"
    report.unlink()
    report.symlink_to(outside)
    assert request("GET", f"{origin}/rounds/1").status_code == 404


@pytest.mark.parametrize("path", ["/", "/metrics", "/rounds/1", "/rounds/9", "/nothing"])
def test_it_is_only_read_and_every_answer_has_the_security_headers(
    path: str, shown: tuple[LiveWatch, str]
) -> None:
    live, origin = shown
    live.show(viewed(journal(never, 2)))
    answer = request("GET", f"{origin}{path}")
    assert HEADERS.items() <= {name.title(): value for name, value in answer.headers.items()}.items()
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert request("POST", f"{origin}{path}").status_code in {404, 405}
    assert request("GET", f"{origin}{path}", headers={"Host": "example.org"}).status_code == 421


def test_what_a_platform_sent_is_inert_and_secrets_are_masked(shown: tuple[LiveWatch, str]) -> None:
    live, origin = shown
    hostile = f"<script>alert(1)</script>\x1b[31m\u202e {SECRET}"
    view = viewed((record(1, call=None),))
    state = replace(view.state, open=hostile, why=hostile)
    live.show(
        replace(
            view,
            state=state,
            latest=replace(record(1), headline=hostile),
            plan=replace(view.plan, environment=hostile, commit=hostile),
        )
    )
    for path in ("/", "/metrics"):
        text = request("GET", f"{origin}{path}").text
        assert SECRET not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script>" not in request("GET", f"{origin}/").text


def test_a_watch_shows_each_of_its_states(tmp_path: Path) -> None:
    views: list[WatchView] = []
    kept = WatchJournal(tmp_path, plan(20), Masker())
    rounds = Recorded(journal(share(1.0, 3), 20))
    Watching(tmp_path, kept, 0.95, rounds, lambda _: None, lambda _: None, views.append).watch()
    assert [view.state.rounds for view in views] == [0, 1, 2, 3, 3]
    assert [view.over for view in views] == [False] * 4 + [True]
    assert views[-1].state.final is Action.ROLL_BACK


def test_the_server_runs_beside_a_watch_and_ends_with_it(tmp_path: Path) -> None:
    live = LiveWatch(tmp_path, Masker())
    live.show(viewed(journal(never, 1)))
    server = ReadOnlyServer(lambda hosts: create_app(live, hosts), "127.0.0.1", 0)
    assert server.is_local
    server.start()
    assert "WELL SO FAR" in request("GET", server.url).text
    server.stop()
    with pytest.raises(OSError, match="refused"), socket.create_connection(_address(server.url), 5):
        pass


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    return host, int(port)


@pytest.fixture
def ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    monkeypatch.chdir(ROOT)

    def run_watch(*words: str) -> tuple[int, str]:
        folder = f"--report-dir={tmp_path / 'watch'}"
        code = main(["--env", "sandbox", "--for", "10s", "--every", "5s", folder, "--serve", *words])
        return code, capsys.readouterr().err

    return run_watch


def test_a_port_that_is_taken_is_one_line_and_begins_nothing(
    ask: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert ask("--port", str(number)) == (
            4,
            f"cannot listen on 127.0.0.1, port {number}: Address already in use\n",
        )
    assert not (tmp_path / "watch").exists()


def test_without_the_packages_one_line_says_how_to_get_them(
    ask: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serve_options, "find_spec", lambda _: None)
    code, message = ask()
    assert code == 4
    assert message == (
        "starlette and uvicorn not installed; --serve needs: pip install 'kamiyo-verify[receiver]'\n"
    )
    assert not (tmp_path / "watch").exists()
