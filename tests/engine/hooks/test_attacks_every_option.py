"""Every option of pytest and of its plugins, as --help lists them: none proceeds where a check fails.

An option that is new in a later pytest, or in a plugin, fails here until somebody says what it can lose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from kamiyo_verify.plugin import PARTS
from tests.support.toy_project import PYPROJECT, Toy

pytest_plugins = ["pytester"]

_OPTION = re.compile(r"^  (-\S+(?:[ =]\S+)?(?:, -\S+(?:[ =]\S+)?)*)")


@dataclass(frozen=True)
class Tried:
    """How an option is tried, and the exit codes that it may have in a project whose data check fails."""

    words: str
    codes: frozenset[int] = frozenset({20})


PRINTS = frozenset({0})
"""It prints something and ends: no check runs, and no report is written."""

SEEN, LOST, REFUSED, CUT = frozenset({20}), frozenset({20, 30}), frozenset({4}), frozenset({2, 30})


def tried(codes: frozenset[int], *lines: str) -> dict[str, Tried]:
    """By the option's first name; each line is what is typed."""
    return {re.split("[= ]", line)[0]: Tried(line, codes) for line in lines}


# fmt: off
OPTIONS: dict[str, Tried] = {
    **tried(
        SEEN,
        "--strict-config", "--strict-markers", "--strict", "--capture=sys", "-s", "--runxfail", "--ff",
        "--nf",
        "--cache-clear", "--lfnf=none", "--durations=3", "--durations-min=1", "-v",
        "--no-header", "--no-summary", "--no-fold-skipped", "--force-short-summary", "-q", "--verbosity=2",
        "-r A", "--disable-warnings", "-l", "--no-showlocals", "--tb=long", "--xfail-tb",
        "--show-capture=no", "--full-trace", "--color=yes", "--code-highlight=no", "--junit-xml=x.xml",
        "--junit-prefix=x", "--html=x.html", "--self-contained-html", "-W ignore", "--keep-duplicates",
        "--collect-in-virtualenv", "--import-mode=prepend", "--doctest-modules", "--doctest-report=none",
        "--doctest-glob=x*", "--doctest-ignore-import-errors", "--doctest-continue-on-failure",
        "-c pyproject.toml", "--rootdir=.", "--basetemp=tmp", "--trace-config", "--debug=x.log",
        "-o junit_logging=no", "--assert=plain", "--setup-show", "--log-level=INFO",
        "--log-format=%(message)s",
        "--log-date-format=x", "--log-cli-level=INFO", "--log-cli-format=%(message)s",
        "--log-cli-date-format=x",
        "--log-file=x.log", "--log-file-mode=a", "--log-file-level=INFO", "--log-file-format=%(message)s",
        "--log-file-date-format=x", "--log-auto-indent=on", "--log-disable=x", "--env=toy",
        "--url=api=http://127.0.0.1:9", "--api-url=http://127.0.0.1:9",
        "--frontend-url=http://127.0.0.1:9", "--report-dir=elsewhere",
        "--commit=0123abc", "--deadline=100", "--no-notify", "--on-roll-back=execute", "--stays=api",
        "--place=here", "--load", "--watch=1s",
        "--metadata a b", "--metadata-from-json={}", "--force-reruns=1", "--only-rerun=x", "--reruns=1",
        "--reruns-delay=0", "--reruns-delay-backoff-factor=1", "--rerun-except=x", "--rerun-exclude-path=x",
        "--reruns-mode=append", "--fail-on-flaky", "--rerun-show-tracebacks", "--max-suite-reruns=1", "-n 2",
        "--maxprocesses=1", "--max-worker-restart=0", "--loadscope-reorder", "--no-loadscope-reorder",
        "--testrunuid=x", "--maxschedchunk=1", "--timeout=60", "--timeout-method=signal",
        "--timeout_method=signal", "--timeout-disable-debugger-detection", "--session-timeout=60",
        "--continue-on-collection-errors", "--max-warnings=100", "--dist=load", "--tx=popen",
        "-d", "--pdbcls=pdb:Pdb",
        "--rsyncdir=.", "--rsyncignore=x", "--css=x.css", "--attest=postdeploy.signed=Ada:read",
    ),
    **tried(
        LOST,
        "-k health", "-m preflight", "-x", "--maxfail=1", "--lf", "--ignore=checks/postdeploy/test_data.py",
        "--ignore-glob=*data*", "--deselect=checks/postdeploy/test_data.py", "--setup-only", "--setup-plan",
        "--collect-only",
    ),
    # A baseline judges readiness: an item that fails already holds the deployment.
    **tried(frozenset({10}), "--baseline"),
    **tried(
        REFUSED,
        "--noconftest", "--pdb", "--trace", "--confcutdir=checks", "--disable-plugin-autoload",
        "-p no:rerunfailures", "-f", "--px=popen",
        "--runbook=none.md", "--notify", "--fault=x", "--launched=none", "--slos=none",
        "--pyargs checks.postdeploy.test_data",
    ),
    **tried(CUT | {20}, "--sw", "--sw-skip", "--sw-reset"),
    **tried(frozenset({1, 3, 4}), "--metadata-from-json-file=none"),
    **tried(PRINTS, "--help", "--version", "--markers", "--fixtures", "--fixtures-per-test", "--cache-show",
            "--plan"),
}

# fmt: on
NOT_TRIED = {
    "--pastebin": "it sends the terminal's text to a public site; it changes no result",
    "--host": "it is of Locust's pytest plugin, which is blocked before anything reads it",
}

OF_TESTS_ALONE = ("--hypothesis", "--anyio", "--cov", "--benchmark")
"""Plugins of the project's own tests; no check uses them."""


def names_of(line: str) -> list[str]:
    return [re.split("[= ]", part.strip())[0] for part in line.split(", ")]


def listed(help_text: str) -> list[list[str]]:
    """The names of each option that --help lists."""
    wanted = help_text.partition("[pytest] configuration options")[0]
    return [names_of(found[1]) for line in wanted.splitlines() if (found := _OPTION.match(line))]


@pytest.fixture
def failing(toy: Toy) -> Toy:
    pyproject = PYPROJECT.replace('"-p", "no:cacheprovider", ', "").replace('filterwarnings = ["error"]', "")
    toy.write("pyproject.toml", pyproject)
    toy.items(
        {"postdeploy.data": "data", "postdeploy.health": "core"},
        more='[[sections.items]]\nid = "postdeploy.signed"\ntitle = "x"\nimpact = "process"\nmanual = true\n',
    )
    toy.check("postdeploy/test_health.py", '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...')
    toy.check(
        "postdeploy/test_data.py",
        '@pytest.mark.item("postdeploy.data")\ndef test_data(): assert False, "gone"',
    )
    toy.write("x.css", "")
    return toy


def test_every_option_of_the_help_is_classified(failing: Toy) -> None:
    known = {*OPTIONS, *NOT_TRIED}
    options = listed(failing.run("--help").out)

    assert len(options) > 100
    missing = [
        names
        for names in options
        if not known.intersection(names) and not any(name.startswith(OF_TESTS_ALONE) for name in names)
    ]
    assert not missing, "say in OPTIONS how it is tried, or in NOT_TRIED why it can lose no evidence"


@pytest.mark.exhaustive
@pytest.mark.parametrize("option", OPTIONS)
def test_no_option_proceeds_where_a_check_fails(failing: Toy, option: str) -> None:
    way = OPTIONS[option]
    selected = () if option in {"-m", "--pyargs"} else ("-m", "postdeploy")
    ran = failing.run(*selected, *way.words.split(" "))

    assert ran.code in way.codes, ran.out
    assert "PROCEED" not in ran.out
    if way.codes == PRINTS:
        assert not (failing.folder / "reports").exists()


PLUGINS = (
    "python", "terminal", "debugging", "unittest", "capture", "skipping", "legacypath", "tmpdir",
    "monkeypatch", "recwarn", "pastebin", "assertion", "junitxml", "doctest", "cacheprovider", "setuponly",
    "setupplan", "stepwise", "unraisableexception", "threadexception", "warnings", "logging", "reports",
    "faulthandler",
    "subtests", "html", "metadata", "xdist", "xdist.looponfail", "rerunfailures", "timeout", "anyio",
    *PARTS, "kamiyo_verify", "toy_fixtures",
)  # fmt: skip


@pytest.mark.exhaustive
@pytest.mark.parametrize("plugin", PLUGINS)
def test_no_plugin_that_is_switched_off_lets_a_failing_check_pass(failing: Toy, plugin: str) -> None:
    ran = failing.run("-m", "postdeploy", "-p", f"no:{plugin}")

    assert ran.code in {1, 3, 4, 20, 30}, ran.out
    assert "PROCEED" not in ran.out
