"""Section 1: the commit to deploy is tested, audited, reviewed, and up to date with the main branch."""

import pytest

from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import counted


@pytest.mark.item("preflight.tests-pass")
@pytest.mark.timeout(900)
@pytest.mark.flaky(reruns=0)  # running the same tests of the same commit again gives no new information
@pytest.mark.needs("project")
def test_the_projects_own_tests_pass(project, keep_output, measure):
    """The environment's test command exits with 0; its output is saved beside the report."""
    ran = project.run_tests()

    measure("output", keep_output(ran.tail))
    measure("summary", ran.last_line)
    measure("duration", round(ran.duration_s, 1), "s")
    assert ran.code == 0, f"{ran.command} ended with {ran.code}, not 0: {ran.last_line}"


@pytest.mark.item("preflight.security-audit")
@pytest.mark.timeout(900)
@pytest.mark.needs("project")
def test_the_security_audit_finds_nothing_critical(project, measure):
    """The project's own audit exits with 0; without one, pip-audit and npm audit find nothing."""
    audit = project.audit()

    measure("audited_by", audit.by)
    measure("findings", len(audit.findings), "count")
    assert not audit.findings, f"{counted(len(audit.findings), 'finding')}: {'; '.join(audit.findings[:3])}"


@pytest.mark.item("preflight.code-reviewed")
@pytest.mark.needs("github.token")
def test_somebody_else_approved_exactly_this_commit(reviewed, measure):
    """The pull request with this head commit is approved by someone else, and nobody requests changes."""
    measure("pull_request", reviewed.pull)
    measure("approved_by", ", ".join(reviewed.by))
    assert not reviewed.problems, f"the commit is not approved: {'; '.join(reviewed.problems)}"


@pytest.mark.item("preflight.checks-green")
@pytest.mark.needs("github.token")
def test_every_check_of_the_commit_is_green(checks_of_commit, measure):
    """At least one check of the commit succeeded, none failed, and none is pending."""
    measure("checks", checks_of_commit.total, "count")
    measure("own_job", ", ".join(checks_of_commit.own))

    assert not checks_of_commit.red, f"not green: {', '.join(checks_of_commit.red)}"
    assert checks_of_commit.settled()
    assert checks_of_commit.succeeded, (
        "no check ran on the commit at all: nothing but the author has looked at it"
    )


@pytest.mark.item("preflight.branch-up-to-date")
@pytest.mark.needs("project")
def test_the_checkout_is_clean_and_has_all_of_the_branch(git, environment, commit_to_deploy, measure):
    """Nothing is uncommitted, the remote branch is included, and the expected commit is checked out."""
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
