"""After a rollback: the version before is really back, and stays."""

import pytest

from plugins.model.commits import same_commit


@pytest.mark.item("rollback.previous-commit-answers")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_previous_commit_answers(service, taken_back, deployed_commits, measure):
    """What is live was live before the release that was taken back (or reverts it, or stays), and answers."""
    state, answering = taken_back[service], deployed_commits[service]

    measure("live", state.commit)
    measure("answering", answering)
    assert not state.problem, f"{service}: {state.problem}"
    assert same_commit(answering, state.commit), (
        f"{service}: {answering[:7]} answers where {state.commit[:7]} was expected"
    )


@pytest.mark.item("rollback.auto-deploy-held")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_next_push_does_not_undo_it(service, auto_deploy, taken_back, measure):
    """Auto-deploy is off, or what is live reverts the bad commit; a rollback by Render's API leaves it on."""
    measure("auto_deploy", auto_deploy[service])
    measure("reverts", taken_back[service].reverts)

    assert taken_back[service].withstands_a_push or not auto_deploy[service], (
        f"auto-deploy of {service} is on: the next push brings the bad version back."
        " Switch it off in the service's settings on Render, or push a revert of the bad commit"
    )


@pytest.mark.item("rollback.verified")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_what_people_come_for_works(service, vital_signs, measure):
    """Health, readiness and exploits on the API; the home page, the sign-in page and the way to the API."""
    found = vital_signs(service)

    for name, told in found.items():
        measure(name, told or "good")
    assert not any(found.values()), "; ".join(f"{name}: {told}" for name, told in found.items() if told)
