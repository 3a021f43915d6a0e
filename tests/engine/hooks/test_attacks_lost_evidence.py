"""No way of calling pytest proceeds on missing evidence: the expected items come from runbook.toml."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

import pytest

from tests.support.toy_project import PYPROJECT, WORKERS, Toy

pytest_plugins = ["pytester"]

HEALTH = '@pytest.mark.item("postdeploy.health")\ndef test_health(): ...'
DATA = '@pytest.mark.item("postdeploy.data")\ndef test_data(): assert False, "3 of 40 rows are gone"'
LIST = '@pytest.mark.item("postdeploy.list")\ndef test_list(): ...'
FAST = '@pytest.mark.item("performance.api")\ndef test_fast(): ...'

CACHING = PYPROJECT.replace('"-p", "no:cacheprovider", ', "").replace('filterwarnings = ["error"]', "")
"""With pytest's cache, and without turning its warnings about -O into errors of their own."""


@pytest.fixture
def broken(toy: Toy) -> Toy:
    """A project whose data check fails: whoever does not look at it must not proceed."""
    toy.write("pyproject.toml", CACHING)
    toy.items(
        {
            "postdeploy.health": "core",
            "postdeploy.data": "data",
            "postdeploy.list": "feature",
            "performance.api": "performance",
        }
    )
    toy.check("postdeploy/test_health.py", HEALTH)
    toy.check("postdeploy/test_data.py", DATA)
    toy.check("postdeploy/test_list.py", LIST)
    toy.check("performance/test_fast.py", FAST)
    return toy


def test_the_broken_project_is_rolled_back_where_all_of_it_is_seen(broken: Toy) -> None:
    assert broken.run("-m", "postdeploy").code == 20


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--ignore=checks/postdeploy/test_data.py",), "--ignore="),
        (("--ignore-glob=*test_data*",), "--ignore-glob=*test_data*"),
        (("--deselect=checks/postdeploy/test_data.py",), "--deselect=checks/postdeploy/test_data.py"),
        (("-k", "not data"), "-k 'not data'"),
        (("checks/postdeploy/test_health.py", "checks/postdeploy/test_list.py"), "only checks/postdeploy"),
        (("checks/postdeploy/test_health.py::test_health",), "test_health.py::test_health"),
        (("-o", "python_files=test_[!d]*.py"), "no check of it was found"),
        (("-o", "python_functions=test_[!d]*"), "no check of it was found"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_the_command_line_leaves_out_is_named(broken: Toy, arguments: tuple[str, ...], why: str) -> None:
    ran = broken.run("-m", "postdeploy", *arguments)

    assert ran.code == 30, ran.out
    assert ran.statuses["postdeploy.data"] == "unverified"
    assert ran.statuses["postdeploy.health"] == "passed", "what was seen is still shown"
    assert why in ran.message("postdeploy.data")


@WORKERS
def test_a_selected_part_says_how_many_required_items_it_lacks(broken: Toy, workers: tuple[str, ...]) -> None:
    ran = broken.run("-m", "postdeploy", "-k", "health", *workers)

    assert ran.code == 30
    assert "1 required item was not selected" in ran.verdict.headline


def test_a_lesser_item_that_is_left_out_does_not_proceed_either(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core", "postdeploy.list": "feature"})
    toy.check("postdeploy/test_health.py", HEALTH)
    toy.check("postdeploy/test_list.py", LIST)
    ran = toy.run("-m", "postdeploy", "-k", "health")

    assert ran.code == 30
    assert "1 item was not selected" in ran.verdict.headline


def test_the_quick_half_keeps_its_meaning(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core", "performance.api": "performance"})
    toy.check("postdeploy/test_health.py", HEALTH)
    toy.check("performance/test_fast.py", FAST)
    ran = toy.run("-m", "postdeploy and not performance")

    assert ran.code == 0, ran.out
    assert set(ran.statuses) == {"postdeploy.health"}


def test_one_variant_of_a_check_does_not_pass_for_all(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check(
        "postdeploy/test_health.py",
        '@pytest.mark.parametrize("service", ["api", "frontend"])\n'
        '@pytest.mark.item("postdeploy.health")\n'
        'def test_health(service): assert service == "api", "down"',
    )
    file = "checks/postdeploy/test_health.py"
    deselected = toy.run("-m", "postdeploy", f"--deselect={file}::test_health[frontend]")
    named = toy.run("-m", "postdeploy", f"{file}::test_health[api]")

    assert (deselected.code, named.code) == (30, 30)
    assert "1 required item was not selected" in named.verdict.headline


def test_only_what_failed_last_time_is_no_verification(broken: Toy) -> None:
    assert broken.run("-m", "postdeploy").code == 20
    broken.check("postdeploy/test_data.py", DATA.replace("False", "True"))
    ran = broken.run("-m", "postdeploy", "--lf")

    assert ran.code == 30, ran.out
    assert ran.statuses["postdeploy.data"] == "passed"
    assert "--lf" in ran.message("postdeploy.health")


@pytest.mark.parametrize("option", ["--sw", "-x", "--maxfail=1"])
def test_an_early_stop_does_not_proceed(broken: Toy, option: str) -> None:
    broken.check("postdeploy/test_data.py", DATA.replace('"postdeploy.data"', '"postdeploy.list"'))
    broken.check("postdeploy/test_list.py", LIST.replace('"postdeploy.list"', '"postdeploy.data"'))
    ran = broken.run("-m", "postdeploy", option)

    assert ran.code in {2, 30}, ran.out
    assert "before it was tried" in ran.message("postdeploy.health")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("import no_such_module_anywhere", "test_data.py could not be imported"),
        ("def test_data(:", "test_data.py could not be imported"),
        ('pytest.skip("later", allow_module_level=True)', "test_data.py is skipped as a whole"),
        ('pytest.importorskip("no_such_module_anywhere")', "test_data.py is skipped as a whole"),
    ],
)
@WORKERS
def test_a_check_file_that_cannot_be_collected_is_named(
    broken: Toy, content: str, why: str, workers: tuple[str, ...]
) -> None:
    broken.check("postdeploy/test_data.py", content)
    ran = broken.run("-m", "postdeploy", "--continue-on-collection-errors", *workers)

    assert ran.code == 30, ran.out
    assert why in ran.message("postdeploy.data")


def test_a_collection_error_without_further_ado_interrupts(broken: Toy) -> None:
    broken.check("postdeploy/test_data.py", "import no_such_module_anywhere")
    ran = broken.run("-m", "postdeploy")

    assert ran.code == 2
    assert ran.verdict.recommendation == "inconclusive"


def ignored_by_conftest(toy: Toy) -> None:
    toy.write("checks/conftest.py", 'collect_ignore = ["postdeploy/test_data.py"]')


def ignored_by_hook(toy: Toy) -> None:
    head = "def pytest_ignore_collect(collection_path):"
    toy.write("checks/conftest.py", f"{head}\n    return collection_path.name == 'test_data.py' or None")


def deleted(toy: Toy) -> None:
    (toy.folder / "checks/postdeploy/test_data.py").unlink()


def renamed(toy: Toy) -> None:
    (toy.folder / "checks/postdeploy/test_data.py").rename(toy.folder / "checks/postdeploy/data.py")


def no_test_in_it(toy: Toy) -> None:
    toy.check("postdeploy/test_data.py", "def data(): ...")


def switched_off(toy: Toy) -> None:
    toy.check("postdeploy/test_data.py", f"__test__ = False\n{DATA}")


def deselected_by_hook(toy: Toy) -> None:
    body = (
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [item for item in items if 'data' not in item.name]"
    )
    toy.write("checks/conftest.py", body)


@pytest.mark.parametrize(
    "lose",
    [ignored_by_conftest, ignored_by_hook, deleted, renamed, no_test_in_it, switched_off, deselected_by_hook],
)
def test_a_required_item_whose_check_is_gone_does_not_proceed(
    broken: Toy, lose: Callable[[Toy], None]
) -> None:
    lose(broken)
    ran = broken.run("-m", "postdeploy")

    assert ran.code == 30, ran.out
    assert ran.statuses["postdeploy.data"] == "unverified"
    assert ran.verdict.headline in {"1 required item has no check", "1 required item was not selected"}


@pytest.mark.parametrize("folder", ["emptied", "gone"])
def test_a_phase_without_any_check_does_not_proceed(broken: Toy, folder: str) -> None:
    for path in (broken.folder / "checks/postdeploy").iterdir():
        path.unlink()
    if folder == "gone":
        (broken.folder / "checks/postdeploy").rmdir()
    assert broken.run("-m", "postdeploy").code == 30


def test_a_phase_that_the_runbook_no_longer_has_is_named(broken: Toy) -> None:
    broken.items({"performance.api": "performance"})
    ran = broken.run("-m", "postdeploy or performance", "--ignore=checks/postdeploy")

    assert ran.code == 30, ran.out
    assert any("no item of the phase postdeploy" in reason.message for reason in ran.verdict.reasons)


def test_an_item_that_the_runbook_no_longer_has_is_a_mistake_while_its_check_is_there(broken: Toy) -> None:
    broken.items({"postdeploy.health": "core", "postdeploy.list": "feature"})
    ran = broken.run("-m", "postdeploy")

    assert ran.code == 4
    assert 'runbook.toml has no item "postdeploy.data"' in ran.out


def test_an_environment_to_which_nothing_of_a_phase_applies_does_not_proceed(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core", "performance.api": "performance"})
    runbook = (toy.folder / "runbook.toml").read_text()
    row = 'title = "performance.api"\n'
    assert row in runbook
    toy.write("runbook.toml", runbook.replace(row, f'{row}part = "payments"\n'))
    toy.check("postdeploy/test_health.py", HEALTH)
    toy.check("performance/test_fast.py", FAST)
    ran = toy.run("-m", "postdeploy or performance")

    assert ran.code == 30, ran.out
    assert "no item of the phase performance applies to toy" in ran.verdict.reasons[0].message


@pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
def test_fixtures_alone_verify_nothing(broken: Toy, option: str) -> None:
    assert broken.run("-m", "postdeploy", option).code == 30


@pytest.mark.parametrize(
    "way_out",
    [
        "import os; os._exit(0)",
        "import os, sys; os.execv(sys.executable, [sys.executable, '-c', ''])",
        "import sys; sys.exit(0)",
        "raise SystemExit",
        "pytest.exit('enough', returncode=0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
@WORKERS
def test_a_check_that_ends_its_process_does_not_proceed(
    broken: Toy, way_out: str, workers: tuple[str, ...]
) -> None:
    broken.check("postdeploy/test_data.py", DATA.replace("assert False", f"{way_out}; assert True"))
    ran = broken.run("-m", "postdeploy", *workers)

    assert ran.code not in {0, 20}, ran.out


def test_a_process_that_a_check_forks_may_end_as_it_likes(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check(
        "postdeploy/test_health.py",
        HEALTH.replace(
            "...",
            "\n    import os\n    if os.fork() == 0:\n        os._exit(7)\n"
            "    assert os.waitstatus_to_exitcode(os.wait()[1]) == 7",
        ),
    )

    assert toy.run("-m", "postdeploy").code == 0


REFUSED: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "-O": ((), {"PYTHONOPTIMIZE": "1"}, "Python runs without assertions"),
    "-OO and plain": (("--assert=plain",), {"PYTHONOPTIMIZE": "2"}, "Python runs without assertions"),
    "no verification": (
        ("-p", "no:kamiyo_verify.hooks.verification"),
        {},
        "kamiyo_verify.hooks.verification not loaded",
    ),
    "no evidence": (("-p", "no:kamiyo_verify.hooks.evidence"), {}, "kamiyo_verify.hooks.evidence not loaded"),
    "no options": (("-p", "no:kamiyo_verify.hooks.options"), {}, ""),
    "no confirmation": (("-p", "no:rerunfailures"), {}, "pytest-rerunfailures is not loaded"),
    "no time-out": (("-p", "no:timeout"), {}, "pytest-timeout is not loaded"),
    "no autoload": ((), {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, ""),
    "no workers": (("-p", "no:xdist", "-n", "2"), {}, ""),
    "--disable-plugin-autoload": (("--disable-plugin-autoload",), {}, ""),
    "--noconftest": (("--noconftest",), {}, "--noconftest: conftest.py"),
    "--confcutdir": (("--confcutdir=checks",), {}, "--confcutdir: conftest.py"),
    "ssh": (("--dist=load", "--tx", "ssh=other.example"), {}, "checks run on this machine only"),
    "socket": (("--dist=load", "--tx", "socket=192.0.2.1:8888"), {}, "checks run on this machine only"),
    "via": (("--dist=load", "--tx", "2*popen//via=x"), {}, "checks run on this machine only"),
    "px": (("--px", "id=x//socket=192.0.2.1:8888"), {}, "--px id=x//socket=192.0.2.1:8888: checks run"),
    "-d": (("-d", "--tx", "3*ssh=other.example//chdir=x"), {}, "checks run on this machine only"),
    "vagrant": (("-d", "--tx", "vagrant_ssh=default"), {}, "checks run on this machine only"),
    "ssh as a Python": (
        ("-d", "--tx", "popen//python=ssh other.example python3"),
        {},
        "checks run on this machine only",
    ),
    "ssh beside popen": (("-d", "--tx", "popen//ssh=other.example"), {}, "checks run on this machine only"),
    "ssh of addopts": (
        (),
        {"PYTEST_ADDOPTS": "--dist=load --tx ssh=other.example"},
        "start an ordinary run at each place",
    ),
    "each": (("--dist=each", "--tx", "2*popen"), {}, "--dist=each runs every check several times"),
    "-f": (("-f",), {}, "--looponfail"),
    "other paths": (("-o", "verification_paths=elsewhere"), {}, "there are no checks in"),
    "--pyargs": (("--pyargs", "checks.postdeploy.test_health"), {}, ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_a_verdict_worthless_is_refused(broken: Toy, name: str) -> None:
    arguments, env, says = REFUSED[name]
    broken.check("postdeploy/test_data.py", "")
    ran = broken.run("-m", "postdeploy", *arguments, env=env)

    assert ran.code == 4, ran.out
    assert says in ran.out
    assert "Traceback" not in ran.out


@pytest.mark.parametrize("option", ["--tx", "--px"])
def test_another_machine_is_refused_in_one_line_and_nothing_is_sent(broken: Toy, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"id=x//socket=127.0.0.1:{other.getsockname()[1]}"
        given = f"{address}//env:TOKEN=s3cret-canary"
        ran = broken.run("-m", "postdeploy", "-d", option, given, env={"TOY_PASSWORD": "s3cret-canary"})
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()

    assert ran.code == 4, ran.out
    said = [line for line in ran.out.splitlines() if "checks run on this machine only" in line]
    assert len(said) == 1, ran.out
    assert "an ordinary run at each place" in said[0]
    assert "canary" not in ran.out
    assert ran.report is None


def test_other_settings_lose_no_item(broken: Toy) -> None:
    broken.write("other.ini", "[pytest]\nverification_paths = elsewhere\n")
    assert broken.run("-m", "postdeploy", "-c", "other.ini").code == 30


def test_a_project_without_its_conftest_does_not_pass(broken: Toy) -> None:
    (broken.folder / "conftest.py").unlink()
    ran = broken.run("-m", "postdeploy")

    assert ran.code == 4, ran.out
    assert "conftest.py is missing" in ran.out
    assert "create one; an empty file will do" in ran.out


def test_workers_that_run_without_assertions_do_not_pass(broken: Toy) -> None:
    ran = broken.run("-m", "postdeploy", "--dist=load", "--tx", f"2*popen//python={sys.executable} -O")

    assert ran.code not in {0, 20}, ran.out
