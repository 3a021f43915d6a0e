"""A runbook that contradicts itself is refused, and every mistake is told with its line."""

from pathlib import Path

import pytest

from kamiyo_verify.config.environments import ConfigurationError, load_runbook

GOOD = """\
title = "Acme deployment"
slos = []
escalation = []
contacts = []
log_patterns = []
announcements = []
deployment_log = []
questions = []

[policy]
required_impacts = ["core"]
do_not_roll_back = []

[[policy.roll_back]]
id = "core-broken"
text = "broken"
impact = "core"

[[remedies]]
id = "restart"
title = "It hangs"
cause = "unknown"
steps = ["Restart it."]

[[sections]]
title = "Step 4"

[[sections.items]]
id = "postdeploy.home"
title = "Home is served"
impact = "core"
remedy = "restart"
"""
ITEM = GOOD[GOOD.index("[[sections.items]]") :]
QUANTILE = 'id = "p95"\ntitle = "p95"\nkind = "quantile"\n'
RATIO = 'id = "errors"\ntitle = "errors"\nkind = "ratio"\nitem = "postdeploy.home"\nmeasurement = "errors"\n'
HISTORY = 'id = "up"\ntitle = "up"\nkind = "history"\nbetter = "above"\n'
FED = 'quantile = 0.95\nitem = "postdeploy.home"\nmeasurement = "times"\n'
LOG = 'id = "up"\nservice = "api"\nsign = "good"\nshows = "it is up"\n'
ROW = 'level = 1\nwho = "Ada"\ndoes = "looks"\n'


def refusal(folder: Path, text: str) -> str:
    (folder / "runbook.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load_runbook(folder / "runbook.toml")
    return str(refused.value)


def test_an_impact_that_no_clause_knows_is_refused(tmp_path: Path) -> None:
    says = refusal(tmp_path, GOOD.replace('impact = "core"\nremedy', 'impact = "feature"\nremedy'))
    assert 'no clause of the policy has the impact "feature"; there are: core' in says


@pytest.mark.parametrize(
    ("clause", "says"),
    [
        ('id = "again"\ntext = "x"\nimpact = "core"\n', '"core" has a clause above; one is enough'),
        ('id = "quiet"\ntext = "x"\nimpact = "data"\nproof = "guess"\n', "proof"),
    ],
)
def test_a_clause_that_contradicts_another_is_refused(tmp_path: Path, clause: str, says: str) -> None:
    assert says in refusal(
        tmp_path, GOOD.replace("[[remedies]]", f"[[policy.roll_back]]\n{clause}\n[[remedies]]")
    )


def test_a_sound_runbook_is_read(tmp_path: Path) -> None:
    (tmp_path / "runbook.toml").write_text(GOOD, encoding="utf-8")

    found = load_runbook(tmp_path / "runbook.toml")

    assert found.title == "Acme deployment"
    assert found.item("postdeploy.home") == found.items[0]
    assert found.remedy("restart") == found.remedies[0]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (ITEM, f"{ITEM}\n{ITEM}", 'line 35, items["postdeploy.home"].id: this id is taken by a row above'),
        (
            '"broken"',
            '"x"\ntetx = "y"',
            'policy.roll_back["core-broken"].tetx: unknown key; did you mean "text"?',
        ),
        (
            'impact = "core"\nremedy',
            'phase = "deploy"\nimpact = "core"\nremedy',
            "first part of the id: delete this",
        ),
        (
            'impact = "core"\nremedy',
            'section = "4"\nimpact = "core"\nremedy',
            "the [[sections]] above: delete",
        ),
        (
            'remedy = "restart"\n',
            'loses = "x"\n',
            'line 32, items["postdeploy.home"].loses: is called "user_impact" now',
        ),
        ('remedy = "restart"\n', "by_hand = true\n", 'by_hand: is called "manual" now'),
        (
            'remedy = "restart"\n',
            'manual = true\nuser_impact = "x"\n',
            "no meaning for an item that only a person",
        ),
        ("[[sections.items]]", "[[items]]", "items: write each item as [[sections.items]]"),
        ('id = "postdeploy.home"', 'id = "post.home"', "id: must begin with a phase and a dot: preflight"),
        ('"core"\nremedy', '"cores"\nremedy', 'did you mean "core"?'),
        ('"postdeploy.home"', '"postdeploy.Home"', "id: must be a phase, a dot and words joined by hyphens"),
        (
            'remedy = "restart"',
            'remedy = "restrat"',
            'no remedy is called "restrat"; did you mean "restart"?',
        ),
        ('"Step 4"', '" "', "line 26, sections[0].title: is missing"),
        ('title = "Step 4"\n', "", "line 25, sections[0].title: is missing"),
        (
            '["core"]',
            '["core", "data"]',
            '"data" is required, and no clause of policy.roll_back has that impact',
        ),
        ('["core"]', "[]", "line 11, policy.required_impacts: must not be empty"),
        ('impact = "core"\n\n', "\n", 'policy.roll_back["core-broken"].impact: is missing'),
        ('title = "Acme deployment"\n', "", "title: is missing"),
        ("steps = [", "steps = [1, ", 'line 23, remedies["restart"].steps[0]: must be text, in quotes'),
    ],
)
def test_a_contradiction_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    assert says in refusal(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("table", "row", "says"),
    [
        (
            "slos",
            QUANTILE + "objective = 500\n",
            'slos["p95"].item: is missing: an objective of kind "quantile"',
        ),
        ("slos", QUANTILE + "objective = 0\n" + FED, "objective: must be more than 0, not 0"),
        ("slos", QUANTILE + "objective = 5\nquantile = 95\n", "quantile: must be less than 1, not 95"),
        (
            "slos",
            QUANTILE + "objective = 5\n" + FED.replace("home", "hone"),
            'did you mean "postdeploy.home"?',
        ),
        ("slos", RATIO + "objective = 0.1\n", 'slos["errors"].total: is missing'),
        ("slos", RATIO + 'objective = 1.5\ntotal = "requests"\n', "must be a share between 0 and 1, not 1.5"),
        (
            "slos",
            HISTORY + 'objective = 0.9\nitem = "postdeploy.home"\n',
            'has no meaning for an objective of kind "h',
        ),
        ("slos", HISTORY + "objective = 99.5\n", "must be a share between 0 and 1, not 99.5"),
        ("slos", HISTORY + "objective = nan\n", 'slos["up"].objective: must be a finite number'),
        (
            "log_patterns",
            LOG + "pattern = '('\n",
            'log_patterns["up"].pattern: is no regular expression: missing )',
        ),
        (
            "log_patterns",
            LOG + "pattern = 'up'\nremedy = \"x\"\n",
            'no remedy is called "x"; there are: restart',
        ),
        ("escalation", ROW, "escalation[0]: needs either from_minute or critical = true"),
        (
            "escalation",
            ROW + "from_minute = 0\ncritical = true\n",
            "needs either from_minute or critical = true",
        ),
    ],
)
def test_a_row_that_cannot_work_is_refused(tmp_path: Path, table: str, row: str, says: str) -> None:
    text = GOOD.replace(f"{table} = []\n", "", 1) + f"\n[[{table}]]\n{row}"

    assert says in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("clause", "says"),
    [
        ('id = "no", limit = 50', "limit: must be a share between 0 and 1 (50 % is 0.5), not 50"),
        ('id = "no", impact = "core"', 'impact: "core" stands under policy.roll_back too'),
        ('id = "core-broken"', 'policy.do_not_roll_back["core-broken"].id: this id is taken'),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(tmp_path: Path, clause: str, says: str) -> None:
    text = GOOD.replace("do_not_roll_back = []", f'do_not_roll_back = [{{ text = "no", {clause} }}]')

    assert says in refusal(tmp_path, text)


def test_a_line_is_counted_past_a_text_of_several_lines(tmp_path: Path) -> None:
    text = GOOD.replace('"Acme deployment"', '"""\nAcme\nid = "no key"\n"""').replace("Step 4", " ")

    assert "line 29, " in refusal(tmp_path, text)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, GOOD.replace('"restart"', '"wait"', 1).replace("Step 4", "").replace('["core"]', "[]")
    )

    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == [
        "line 11, policy.required_impacts",
        "line 26, sections[0].title",
        'line 32, items["postdeploy.home"].remedy',
    ]


def test_a_title_and_items_of_five_lines_are_a_runbook(tmp_path: Path) -> None:
    path = tmp_path / "runbook.toml"
    path.write_text(
        'title = "Notes"\n[[sections]]\ntitle = "After"\n[[sections.items]]\nid = "postdeploy.up"\n'
        'title = "It is up"\nimpact = "core"\nservices = ["web"]\n',
        encoding="utf-8",
    )
    runbook = load_runbook(path)

    assert runbook.policy.rollback_clause(runbook.items[0].impact)
    assert {clause.impact for clause in runbook.policy.roll_back} == {*runbook.policy.required_impacts}
