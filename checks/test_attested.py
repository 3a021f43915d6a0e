"""Manual items of every phase: a person attests each of them."""

import pytest

ITEMS = (
    "preflight.migration-plan-reviewed",
    "deploy.team-told",
    "postdeploy.success-announced",
    "postdeploy.issues-documented",
    "postdeploy.on-call-adjusted",
    "rollback.decision-recorded",
    "rollback.announced",
    "rollback.incident-reported",
    "rollback.reason-documented",
    "rollback.ticket-created",
    "rollback.process-reviewed",
    "rollback.root-cause-found",
    "rollback.checklist-extended",
    "rollback.fix-planned",
    "rollback.data-restored",
    "rollback.post-mortem-scheduled",
    "followup.user-reports",
    "followup.log-updated",
    "followup.lessons-documented",
    "followup.runbook-updated",
    "followup.retrospective-scheduled",
    "followup.alerts-tuned",
    "followup.improvements-planned",
    "followup.questions-answered",
)


@pytest.mark.parametrize((), [pytest.param(id=item, marks=pytest.mark.item(item)) for item in ITEMS])
def test_a_person_attests_that_it_is_done(attestation, measure):
    """A person says who did it, when and what, for this commit; without that, the item is unverified."""
    measure("who", attestation.who)
    measure("when", attestation.when_text)
    measure("what", attestation.what)
