"""A Deployment's revisions are deploys, judged as kubectl judges a rollout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.integrations.kubernetes.commits import parts_of
from kamiyo_verify.judge.rollback.targets import NoTarget, target_of
from kamiyo_verify.model.hosting.services import DeployStatus
from kamiyo_verify.model.outcomes import NoAnswer
from tests.engine.integrations.kubernetes.conftest import Bench
from tests.support.kubernetes_server import COMMIT

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


@pytest.fixture
def released(bench: Bench) -> Bench:
    """Two revisions; the second is live."""
    bench.cluster.release("notes", ONE, at=AT)
    bench.cluster.release("notes", TWO, at=AT + timedelta(hours=1))
    return bench


def events(bench: Bench) -> list[tuple[str, str, str]]:
    return [(one.id, one.commit_id[:1], one.status) for one in bench.hosting().state("notes").deploys]


def test_the_newest_revision_is_live_and_the_older_ones_were(released: Bench) -> None:
    state = released.hosting().state("notes")

    assert events(released) == [("2", "2", DeployStatus.LIVE), ("1", "1", DeployStatus.DEACTIVATED)]
    assert (state.id, state.name, state.suspended, state.auto_deploy) == ("shop/notes", "notes", False, False)
    assert state.live
    assert state.live.created_at == AT + timedelta(hours=1)
    assert state.live.finished_at == AT + timedelta(hours=1, seconds=9)
    assert state.calls_to("1") == (
        "kubectl --context test rollout undo --namespace shop deployment/notes --to-revision=1",
    )


def test_while_a_rollout_goes_on_the_revision_before_it_is_live(released: Bench) -> None:
    released.cluster.release("notes", THREE)
    released.cluster.begin("notes")
    released.cluster.own("notes")[1]["status"] |= {"availableReplicas": 3, "replicas": 3}

    assert events(released) == [
        ("3", "3", DeployStatus.UPDATE_IN_PROGRESS),
        ("2", "2", DeployStatus.LIVE),
        ("1", "1", DeployStatus.DEACTIVATED),
    ]


def test_a_rollout_past_its_deadline_has_failed(released: Bench) -> None:
    released.cluster.release("notes", THREE)
    released.cluster.exceed_deadline("notes")

    state = released.hosting().state("notes")
    assert state.deploys[0].status is DeployStatus.UPDATE_FAILED
    assert state.deploys[0].finished_at
    assert state.live is None  # no pod of an older revision is left


def test_pods_that_fail_later_leave_the_revision_live(released: Bench) -> None:
    status = released.cluster.deployments["notes"]["status"]
    status |= {"availableReplicas": 0, "readyReplicas": 0, "unavailableReplicas": 3}
    assert events(released)[0] == ("2", "2", DeployStatus.LIVE)


def test_an_autoscaler_begins_no_deploy(released: Bench) -> None:
    deployment = released.cluster.deployments["notes"]
    deployment["spec"]["replicas"] = 9
    deployment["metadata"]["generation"] += 1  # and not observed yet
    assert events(released)[0] == ("2", "2", DeployStatus.LIVE)
    deployment["status"]["observedGeneration"] += 1
    assert events(released)[0] == ("2", "2", DeployStatus.LIVE)
    assert len(events(released)) == 2


def test_a_rollout_that_has_just_begun_is_not_live_by_the_report_of_the_one_before(released: Bench) -> None:
    cluster = released.cluster
    cluster.release("notes", ONE)
    cluster.begin("notes")
    # The condition is still that of revision 2, and the new ReplicaSet has no pods.
    report = f'ReplicaSet "{cluster.own("notes")[1]["metadata"]["name"]}" has successfully progressed.'
    cluster.deployments["notes"]["status"]["conditions"][0] |= {
        "reason": "NewReplicaSetAvailable",
        "message": report,
    }
    assert events(released)[0] == ("3", "1", DeployStatus.UPDATE_IN_PROGRESS)


def test_going_back_to_a_template_is_a_rollback_under_a_new_number(released: Bench) -> None:
    released.cluster.release("notes", ONE)
    state = released.hosting().state("notes")

    assert events(released) == [
        ("3", "1", DeployStatus.LIVE),
        ("2", "2", DeployStatus.DEACTIVATED),
        ("1", "1", DeployStatus.DEACTIVATED),
    ]
    assert [one.is_rollback for one in state.deploys] == [True, False, False]
    assert state.deploys[0].created_at > state.deploys[1].created_at > state.deploys[2].created_at


def test_revisions_in_the_same_second_keep_their_order(bench: Bench) -> None:
    for commit in (ONE, TWO, ONE, TWO):
        bench.cluster.release("notes", commit, at=AT)
    deploys = bench.hosting().state("notes").deploys
    assert [one.id for one in deploys] == ["4", "3", "2", "1"]
    assert len({one.created_at for one in deploys}) == 4


def test_without_an_older_revision_there_is_no_target(released: Bench) -> None:
    assert (target := target_of(released.hosting().state("notes")).deploy)
    assert target.id == "1"
    released.cluster.replica_sets.pop(0)  # revisionHistoryLimit = 0
    assert target_of(released.hosting().state("notes")).why_not is NoTarget.NO_EARLIER_DEPLOY


def test_a_deployment_scaled_to_zero_is_suspended(released: Bench) -> None:
    released.cluster.deployments["notes"]["spec"]["replicas"] = 0
    assert released.hosting().state("notes").suspended


def test_other_deployments_with_the_same_labels_are_left_out(released: Bench) -> None:
    released.cluster.release("other", THREE)
    for one in (*released.cluster.own("other"), released.cluster.deployments["other"]):
        one["metadata"]["labels"] = {"app": "notes"}
    assert [commit for _, commit, _ in events(released)] == ["2", "1"]


def test_lists_are_read_to_their_end(bench: Bench) -> None:
    bench.cluster.page = 2
    for number in range(7):
        bench.cluster.release("notes", str(number) * 40, at=AT + timedelta(minutes=number))
    assert [one.id for one in bench.hosting().state("notes").deploys] == ["7", "6", "5", "4", "3", "2", "1"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ({"annotation": COMMIT}, ONE),
        ({"image": "tag"}, ONE),
        ({"label": "app"}, "notes"),
        ({"label": "absent"}, ""),
        ({"image": "digest"}, ""),
        ({"image": "tag", "pattern": "^(.{7})"}, ONE[:7]),
        ({"image": "tag", "pattern": "^main-(.*)"}, ""),
    ],
)
def test_the_commit_stands_where_the_settings_say(bench: Bench, source: dict[str, str], found: str) -> None:
    bench.cluster.release("notes", ONE)
    live = bench.hosting(commit=source).state("notes").live
    assert live
    assert live.commit_id == found


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("notes", ("", "")),
        ("notes:1.4", ("1.4", "")),
        ("registry:5000/team/notes", ("", "")),
        ("registry:5000/team/notes:1.4@sha256:abc", ("1.4", "abc")),
        ("notes@sha256:abc", ("", "abc")),
    ],
)
def test_an_image_has_a_tag_and_a_digest(image: str, parts: tuple[str, str]) -> None:
    assert parts_of(image) == parts


def test_one_of_several_containers_has_to_be_named(bench: Bench) -> None:
    containers = [{"name": "app", "image": f"notes:{ONE}"}, {"name": "proxy", "image": "envoy:1.30"}]
    bench.cluster.release("notes", ONE, spec={"containers": containers})

    with pytest.raises(NoAnswer, match=r"app, proxy: name one in \[kubernetes\] container"):
        bench.hosting(commit={"image": "tag"}).state("notes")
    with pytest.raises(NoAnswer, match="container is web, and the pod has app, proxy"):
        bench.hosting(commit={"image": "tag"}, container="web").state("notes")
    live = bench.hosting(commit={"image": "tag"}, container="app").state("notes").live
    assert live
    assert live.commit_id == ONE


@pytest.mark.parametrize(
    ("labels", "annotations", "managed"),
    [
        ({}, {}, False),
        ({}, {"argocd.argoproj.io/tracking-id": "notes:apps/Deployment:shop/notes"}, True),
        ({"kustomize.toolkit.fluxcd.io/name": "shop"}, {}, True),
        (
            {"kustomize.toolkit.fluxcd.io/name": "shop"},
            {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"},
            False,
        ),
        ({"helm.toolkit.fluxcd.io/name": "notes"}, {}, True),
    ],
)
def test_what_a_repository_manages_is_deployed_automatically(
    released: Bench, labels: dict[str, str], annotations: dict[str, str], *, managed: bool
) -> None:
    metadata = released.cluster.deployments["notes"]["metadata"]
    metadata["labels"] = labels
    metadata["annotations"] |= annotations
    assert released.hosting().state("notes").auto_deploy is managed
    assert released.hosting(auto_deploy=False).auto_deploy("notes") is False
    assert released.hosting(auto_deploy=True).auto_deploy("notes") is True


def test_a_deployment_that_is_not_there_is_no_answer_and_named(bench: Bench) -> None:
    with pytest.raises(NoAnswer, match=r'answered 404: deployments.apps "notes" not found'):
        bench.hosting().state("notes")
    with pytest.raises(NoAnswer, match="namespaces/elsewhere/deployments/notes answered 404"):
        bench.hosting("elsewhere/notes").state("notes")
