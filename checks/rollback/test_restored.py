"""After a rollback: the earlier version is live, and stays live."""

import pytest

from kamiyo_verify.model.commits import same_commit


@pytest.mark.item("rollback.previous-commit-answers")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_previous_commit_answers(service, rollback_state, answering_commit, measure):
    """The live commit was live before the bad release, reverts it or was not affected, and it answers."""
    state, answering = rollback_state[service], answering_commit(service)

    measure("live", state.commit)
    measure("answering", answering)
    measure("rollback_missing", state.is_missing)
    assert not state.problem, f"{service}: {state.problem}"
    assert same_commit(answering, state.commit), (
        f"{service}: {answering[:7]} answers where {state.commit[:7]} was expected"
    )


@pytest.mark.item("rollback.auto-deploy-held")
@pytest.mark.needs("render.key")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_the_next_push_does_not_undo_it(service, auto_deploy, rollback_state, measure):
    """Auto-deploy is off, or the live commit reverts the bad one; a rollback by Render's API leaves it on."""
    measure("auto_deploy", auto_deploy[service])
    measure("reverts", rollback_state[service].reverts)

    assert rollback_state[service].withstands_a_push or not auto_deploy[service], (
        f"auto-deploy of {service} is on: the next push brings the bad version back."
        " Switch it off in the service's settings on Render, or push a revert of the bad commit"
    )


@pytest.mark.item("rollback.verified")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_what_people_come_for_works(service, smoke_test, measure_each):
    """The API serves health, readiness, exploits; the frontend its home page, sign-in page and API proxy."""
    found = smoke_test(service)

    measure_each({name: problem or "good" for name, problem in found.items()})
    assert not any(found.values()), "; ".join(f"{name}: {why}" for name, why in found.items() if why)
