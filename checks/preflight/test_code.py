"""Section 1: what is about to go live is tested, audited, reviewed, and the same as on the main branch."""

import pytest

from plugins.model.commits import same_commit
from plugins.model.figures import counted


@pytest.mark.item("preflight.tests-pass")
@pytest.mark.timeout(900)
@pytest.mark.flaky(reruns=0)  # the same tests of the same commit have nothing new to say
@pytest.mark.needs("project")
def test_the_projects_own_tests_pass(project, keep_output, measure):
    """The test command of the environment ends with exit code 0; its output is kept beside the report."""
    ran = project.run_tests()

    measure("output", keep_output(ran.tail))
    measure("summary", ran.last_line)
    measure("duration", round(ran.duration_s, 1), "s")
    assert ran.code == 0, f"{ran.command} ended with {ran.code}, not 0: {ran.last_line}"


@pytest.mark.item("preflight.security-audit")
@pytest.mark.timeout(900)
@pytest.mark.needs("project")
def test_the_security_audit_finds_nothing_critical(project, measure):
    """The project's own audit ends with 0; where there is none, pip-audit and npm audit find nothing."""
    audit = project.audit()

    measure("audited_by", audit.by)
    measure("findings", len(audit.findings), "count")
    assert not audit.findings, f"{counted(len(audit.findings), 'finding')}: {'; '.join(audit.findings[:3])}"


@pytest.mark.item("preflight.code-reviewed")
@pytest.mark.needs("github.token")
def test_somebody_else_approved_exactly_this_commit(reviewed, measure):
    """The pull request that ends in it is approved as it is, not by its author, and nobody objects."""
    measure("pull_request", reviewed.pull)
    measure("approved_by", ", ".join(reviewed.by))
    assert not reviewed.problems, f"the commit is not approved: {'; '.join(reviewed.problems)}"


@pytest.mark.item("preflight.checks-green")
@pytest.mark.needs("github.token")
def test_every_check_of_the_commit_is_green(github, commit_to_deploy, measure):
    """At least one check ran on the commit, and each of them is completed and did not fail."""
    runs, status = github.check_runs(commit_to_deploy), github.status(commit_to_deploy)
    red = [f"{run.name} ({run.conclusion or run.status})" for run in runs if not run.green]

    measure("checks", len(runs) + len(status.statuses), "count")
    assert runs or status.statuses, (
        "no check ran on the commit at all: nothing but the author has looked at it"
    )
    assert not red, f"not green: {', '.join(red)}"
    assert status.green, f"the commit's statuses are together {status.state}, not success"


@pytest.mark.item("preflight.branch-up-to-date")
@pytest.mark.needs("project")
def test_the_checkout_is_clean_and_has_all_of_the_branch(git, environment, commit_to_deploy, measure):
    """Nothing is uncommitted, nothing of the remote branch is missing, and the commit asked is here."""
    standing = git.standing(environment.project.branch)

    measure("head", standing.head)
    measure("remote", standing.remote)
    assert not standing.changes, f"not committed: {', '.join(standing.changes[:5])}"
    assert standing.contains_remote, (
        f"the checkout lacks {standing.remote[:12]}, the tip of the branch: pull it"
    )
    assert same_commit(standing.head, commit_to_deploy), (
        f"the checkout stands at {standing.head[:12]}, and {commit_to_deploy[:12]} is to be deployed"
    )
