"""The sandbox's checkout: whole, the same every time, and broken and mended by rewriting files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kamiyo_verify.integrations.git.client import Git
from kamiyo_verify.integrations.packages import dependencies
from kamiyo_verify.integrations.prisma.migration_files import migrations_in
from kamiyo_verify.processes.commands import Commands
from sandbox.faults import FAULTS, Faults
from sandbox.migrations import FOLDER, MIGRATIONS, RELEASED
from sandbox.outside.checkout import Checkout
from sandbox.outside.checkout_faults import BACKUP, EDITS

OF_GIT = {"branch-behind", "tree-dirty"}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "checkout")
    made.apply(Faults())
    return made


def git(checkout: Checkout) -> Git:
    return Git(Commands(checkout.path, hidden=(), record=lambda _: None))


def contents(checkout: Checkout) -> dict[str, bytes]:
    return {
        path.relative_to(checkout.path).as_posix(): path.read_bytes()
        for path in checkout.path.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def test_a_fresh_checkout_is_clean_and_level_with_its_origin(checkout: Checkout) -> None:
    standing = git(checkout).standing("main")
    assert standing.head == standing.remote == checkout.head
    assert standing.changes == ()


def test_the_commit_is_the_same_every_time_whatever_git_is_told(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[commit]\n\tgpgsign = true\n[core]\n\tautocrlf = true\n\thooksPath = /\n"
    )
    for name, value in {"HOME": home, "GIT_DIR": "/elsewhere", "GIT_AUTHOR_NAME": "Somebody"}.items():
        monkeypatch.setenv(name, str(value))
    assert Checkout(tmp_path / "another").head == checkout.head


def test_the_files_are_those_that_the_database_was_made_of(checkout: Checkout) -> None:
    on_disk = migrations_in(checkout.path / FOLDER)
    assert [file.name for file in on_disk] == [migration.name for migration in MIGRATIONS]
    for file, migration in zip(on_disk, MIGRATIONS, strict=True):
        assert migration.checksum in file.checksums
        assert not file.problem
    assert RELEASED is MIGRATIONS[-1]
    assert on_disk[-1].reversible


def test_the_dependencies_of_a_healthy_checkout_are_in_order(checkout: Checkout) -> None:
    wanted = dependencies.requirements_in(checkout.path / "requirements.txt")
    assert wanted.pinned
    assert wanted.loose == ()
    assert wanted.out_of_step(dependencies.requirements_in(checkout.path / "requirements.txt.lock")) == ()
    assert dependencies.node_drift(checkout.path / "website") == ()
    addresses = dependencies.node_addresses(checkout.path / "website")
    assert dependencies.strange_addresses(addresses, ["https://registry.npmjs.org"]) == ()


def test_every_fault_of_the_checkout_is_declared() -> None:
    assert set(EDITS) | OF_GIT <= set(FAULTS)


@pytest.mark.parametrize("fault", EDITS)
def test_a_fault_changes_files_and_leaves_no_trace_when_it_is_off(fault: str, checkout: Checkout) -> None:
    healthy = contents(checkout)
    checkout.apply(Faults([fault]))
    assert contents(checkout) != healthy
    assert bool(git(checkout).standing("main").changes) is (fault == "tree-dirty")
    checkout.apply(Faults())
    assert contents(checkout) == healthy
    assert git(checkout).standing("main").changes == ()


def test_faults_add_up(checkout: Checkout) -> None:
    checkout.apply(Faults([*EDITS, "branch-behind"]))
    checkout.apply(Faults())
    assert git(checkout).standing("main").contains_remote


def test_a_branch_can_fall_behind_and_catch_up(checkout: Checkout) -> None:
    checkout.apply(Faults(["branch-behind"]))
    behind = git(checkout).standing("main")
    assert (behind.contains_remote, behind.changes) == (False, ())
    checkout.apply(Faults())
    assert git(checkout).standing("main").remote == checkout.head


@pytest.mark.parametrize(("faults", "days"), [((), 0), (("backup-too-old",), 4)])
def test_the_backup_is_as_old_as_the_faults_say(
    checkout: Checkout, faults: tuple[str, ...], days: int
) -> None:
    checkout.apply(Faults(faults))
    age_s = time.time() - (checkout.path / BACKUP).stat().st_mtime
    assert int(age_s // 86_400) == days
