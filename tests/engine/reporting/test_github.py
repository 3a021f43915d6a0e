"""GitHub's summary, annotations, outputs and comment: what they say, within GitHub's limits, and inert."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rules.worst import WORST_FIRST, worst
from kamiyo_verify.model.history.round import Round, Turn
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action
from kamiyo_verify.reporting import github
from kamiyo_verify.reporting.deployment_log import HEADER, page, row, with_row
from kamiyo_verify.reporting.github import Links, Place
from kamiyo_verify.reporting.markup import code, unlinked
from tests.support.evidence_for import ERROR, FAILED, HEALTH, SIGN_IN, UNVERIFIED, evidence, result
from tests.support.hostile import ENDLESS, HOSTILE, LIVE_CHARACTERS

COMMIT = "9c41d07e5a3b2c1d0f9e8d7c6b5a493827160504"
COMMANDS = "\n::error::x\r\n::set-output name=a::b %0A::warning::y"
NASTY = f"{HOSTILE}{COMMANDS} @someone @org/team #12 GH-7 o/r#3 :tada:"


def of(*verdicts: Verdict) -> Round:
    turns = tuple(Turn(phase=verdict.phase, folder=verdict.phase, verdict=verdict) for verdict in verdicts)
    call = worst(turn.call for turn in turns if turn.call)
    return Round(environment="prod", commit=COMMIT, turns=turns, recommendation=call)


def failing(message: str = "401 for everyone") -> Verdict:
    return decide(evidence(result(SIGN_IN, FAILED, message), commit=COMMIT))


def test_the_summary_says_what_to_do_and_why() -> None:
    text = github.summary_md(
        of(failing()), Links("https://github.com/o/r/actions/runs/1", "https://x.example/a")
    )
    assert text.startswith("## ⛔ ROLL BACK · prod, commit 9c41d07\n")
    assert "*(policy: nobody signs in)*" in text
    assert f"- **because** `{SIGN_IN}`: 401 for everyone" in text
    assert "[The reports](<https://x.example/a>) · [The job](<https://github.com/o/r/actions/runs/1>)" in text
    assert "| ROLL BACK |" in text
    assert "### What failed" in text


def test_a_good_deployment_needs_few_words() -> None:
    text = github.summary_md(of(decide(evidence(commit=COMMIT))))
    assert text.startswith("## ✅ PROCEED · prod, commit 9c41d07\n")
    assert "What failed" not in text


def test_the_worst_run_decides_and_is_told_first() -> None:
    found = of(decide(evidence(commit=COMMIT)), failing())
    assert found.recommendation is Action.ROLL_BACK
    assert github.comment_md(found).startswith("## ⛔ ROLL BACK")
    assert github.outputs(found, report="r")["exit-code"] == "20"


def test_what_left_no_verdict_is_inconclusive() -> None:
    lost = Turn(phase="postdeploy", folder="postdeploy", why="it was cut short")
    found = replace(of(decide(evidence(commit=COMMIT))), recommendation=Action.INCONCLUSIVE)
    found = replace(found, turns=(*found.turns, lost))
    assert lost.call is Action.INCONCLUSIVE
    text = github.summary_md(found)
    assert "**postdeploy: it was cut short**" in text
    assert "| postdeploy | INCONCLUSIVE: it was cut short |" in text
    assert github.annotated(found, {})[0].startswith("::error title=INCONCLUSIVE%3A prod")


@pytest.mark.parametrize("better", [*Action])
@pytest.mark.parametrize("worse", [*Action])
def test_of_two_calls_the_worse_counts_in_either_order(worse: Action, better: Action) -> None:
    assert worst([worse, better]) is worst([better, worse])
    assert worst([worse, better]) in {worse, better}
    assert worst([better, Action.PROCEED]) is better
    assert worst([better, Action.ROLL_BACK]) is Action.ROLL_BACK


def test_of_no_call_nothing_is_known() -> None:
    assert worst([]) is Action.INCONCLUSIVE
    assert set(WORST_FIRST) == set(Action)


def nodes(text: str) -> set[str]:
    """The kinds of elements that the text becomes, with GitHub's tables and links by themselves."""
    parser = MarkdownIt("gfm-like", {"linkify": False}).enable("table")
    return {
        inner.type
        for token in parser.parse(text)
        for inner in (token, *(token.children or ()))
        if inner.type not in {"text", "inline"}
    }


def test_whatever_a_target_sends_becomes_text() -> None:
    plain, nasty = (of(failing(message)) for message in ("quiet", NASTY))
    for write in (github.summary_md, github.comment_md):
        assert nodes(write(nasty)) <= nodes(write(plain)) | {"text_special", "softbreak"}, write
        assert not set(LIVE_CHARACTERS) & set(write(nasty))
        assert "<script" not in write(nasty).replace("\\<", "")


def test_nobody_is_mentioned_and_no_issue_is_linked() -> None:
    shown = MarkdownIt().render(github.comment_md(of(failing(NASTY))))
    told = re.sub(r"<code>.*?</code>", "", shown)
    assert "someone" in told
    assert not re.search(r"[@#](?=\w)", told)
    assert not re.search(r"\bGH-\d", told)
    assert "http://" not in told.replace("http\u200b", "") or "<a " not in told


def test_code_holds_any_number_of_backticks_and_bars() -> None:
    assert code("a`b``c|d") == "``` a`b``c\\|d ```"
    assert unlinked("@x") == "\\@&#8203;x"


def test_annotations_are_one_line_each_and_hold_no_other_command() -> None:
    rows = github.annotated(of(failing(NASTY)), {SIGN_IN: Place("runbook:,.toml", 12)})
    assert all(re.fullmatch(r"::(error|warning|notice) [^:\n\r]*::[^\n\r]*", line) for line in rows)
    assert rows[1].startswith("::error file=runbook%3A%2C.toml,line=12,title=postdeploy.sign-in%3A failed::")
    assert "%250A::warning" in rows[1]


def test_annotations_are_as_many_as_github_shows() -> None:
    verdict = failing()
    item = next(item for item in verdict.items if item.id == SIGN_IN)
    many = replace(verdict, items=(item,) * 30 + (replace(item, status=ERROR),) * 30)
    rows = github.annotated(of(many), {})
    for level in ("error", "warning"):
        mine = [line for line in rows if line.startswith(f"::{level} ")]
        assert len(mine) == github.ANNOTATIONS
        assert " more::" in mine[-1]


def test_an_annotation_is_bounded() -> None:
    assert all(len(line) < 4_000 for line in github.annotated(of(failing("%" * 100_000)), {}))


def test_limits_hold_and_what_is_left_out_is_said() -> None:
    verdict = failing(ENDLESS)
    item = replace(verdict.items[0], title="é" * 300, message="ü" * 300, status=FAILED)
    huge = of(replace(verdict, items=(item,) * 5_000, reasons=verdict.reasons * 500))
    summary, comment = github.summary_md(huge), github.comment_md(huge, mark="prod/1")
    assert len(summary.encode()) <= github.SUMMARY_BYTES
    assert len(comment) <= github.COMMENT_CHARACTERS
    for text in (summary, comment):
        assert text.rstrip().endswith("the report has all of it")
        assert text.count("<details>") == text.count("</details>")


def test_a_comment_is_found_again_by_its_mark() -> None:
    mark = "prod/1 --> <b>"
    text = github.comment_md(of(failing()), mark=mark)
    assert text.startswith(github.mark_of(mark) + "\n## ")
    assert github.mark_of(mark) == "<!-- kamiyo-verify prod/1b -->"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x>y", "https://x y", "ftp://x", "https://x\\y"]
)
def test_no_strange_address_becomes_a_link(url: str) -> None:
    assert "The reports" not in github.summary_md(of(failing()), Links(report=url))


def test_what_is_not_verified_is_told_by_its_reason() -> None:
    verdict = decide(evidence(result(HEALTH, UNVERIFIED, "API_KEY is not set"), commit=COMMIT))
    text = github.summary_md(of(verdict))
    assert f"- API\\_KEY is not set: `{HEALTH}`" in text or f"- API_KEY is not set: `{HEALTH}`" in text


def test_the_log_is_a_table_with_the_newest_first() -> None:
    first, second = (
        row(of(verdict), f"prod/{n}/README.md") for n, verdict in enumerate((failing(), failing()))
    )
    table = with_row(with_row("", first), second)
    assert table.startswith("# Deployment log\n\n| date |")
    assert table.index(second) < table.index(first)
    assert with_row(table, first) == table
    assert HEADER in with_row("Somebody's own words.\n", first)
    assert "Somebody's own words." in with_row("Somebody's own words.\n", first)


def test_a_page_of_the_log_holds_each_entry_and_what_is_attached() -> None:
    text = page(of(decide(evidence(commit=COMMIT)), failing(NASTY)), ["postdeploy-report.html"])
    assert text.count("deployment log entry") == 2
    assert "[postdeploy-report.html](<postdeploy-report.html>)" in text
    assert "\\<script\\>" in text
