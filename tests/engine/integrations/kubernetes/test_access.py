"""Credentials: kubeconfig, service account or token; TLS is verified, and no token is repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from kamiyo_verify.config.environments import ConfigurationError, load_environment
from kamiyo_verify.integrations.kubernetes import access
from kamiyo_verify.integrations.kubernetes.client import Cluster as Client
from kamiyo_verify.integrations.kubernetes.client import Place
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from tests.engine.integrations.kubernetes.conftest import Bench
from tests.support.kubernetes_server import TOKEN, status_of

NOTES = Place("shop", "notes")
ONE = "1" * 40


def edit(bench: Bench, **changes: Any) -> None:
    """Change the cluster of the kubeconfig."""
    found = yaml.safe_load(bench.kubeconfig.read_text())
    found["clusters"][0]["cluster"] |= changes
    bench.kubeconfig.write_text(yaml.safe_dump(found))


def refusal(bench: Bench, **keys: Any) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        Client(bench.table(**keys), bench.context).deployment(NOTES)
    assert TOKEN not in str(caught.value)
    return caught.value


def server_of(bench: Bench) -> str:
    return str(yaml.safe_load(bench.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])


def test_a_token_from_a_variable_is_enough(bench: Bench) -> None:
    bench.cluster.release("notes", ONE)
    table = bench.table(
        access="token",
        kubeconfig="",
        context="",
        server=server_of(bench),
        certificate_authority=str(bench.kubeconfig.parent / "ca.pem"),
        token={"name": "NOTES_TOKEN", "value": TOKEN},
    )
    found = Client(table, bench.context).deployment(NOTES)
    assert found.metadata
    assert found.metadata.name == "notes"
    assert [(one.status, one.credential, one.accepted) for one in bench.exchanges] == [
        (200, "NOTES_TOKEN", True)
    ]


def test_a_service_account_of_the_pod_is_enough(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from kubernetes.config import incluster_config  # noqa: PLC0415

    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.pem"))
    host, port = server_of(bench).removeprefix("https://").split(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    bench.cluster.release("notes", ONE)
    table = bench.table(access="in-cluster", kubeconfig="", context="")
    assert Client(table, bench.context).deployment(NOTES)


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_token_is_sent(bench: Bench) -> None:
    found = yaml.safe_load(bench.kubeconfig.read_text())
    del found["clusters"][0]["cluster"]["certificate-authority"]
    bench.kubeconfig.write_text(yaml.safe_dump(found))
    assert refusal(bench).kind is NoAnswerKind.TLS
    assert bench.cluster.asked == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"insecure-skip-tls-verify": True}, "insecure-skip-tls-verify"),
        ({"server": "http://127.0.0.1:9"}, "is not https"),
        ({"certificate-authority": "/no/such/ca.pem"}, "ca.pem"),
    ],
)
def test_what_would_give_the_token_away_is_refused(bench: Bench, changes: dict[str, Any], told: str) -> None:
    edit(bench, **changes)
    assert told in str(refusal(bench))
    assert bench.cluster.asked == []


def test_a_context_that_is_not_there_is_named(bench: Bench) -> None:
    assert "context production of" in str(refusal(bench, context="production"))


def test_a_kubeconfig_that_is_not_there_or_is_none_is_named_and_not_quoted(bench: Bench) -> None:
    assert "/no/such/file" in str(refusal(bench, kubeconfig="/no/such/file"))
    bench.kubeconfig.write_text(f"users: [token: {TOKEN}\n  - :")
    assert str(bench.kubeconfig) in str(refusal(bench))


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_a_problem_of_ours(bench: Bench, status: int) -> None:
    bench.cluster.answer = lambda *_: (status, status_of(status, "Forbidden", f"no rights for {TOKEN}"))
    problem = refusal(bench)
    assert problem.kind is NoAnswerKind.CREDENTIAL
    assert "[the token]" in str(problem)
    assert len(bench.cluster.asked) == 1
    assert TOKEN not in str(bench.exchanges)


def test_a_broken_read_is_sent_once_more(bench: Bench) -> None:
    bench.cluster.release("notes", ONE)
    answers: list[Any] = ["cut"]
    bench.cluster.answer = lambda *_: answers.pop() if answers else None
    assert Client(bench.table(), bench.context).deployment(NOTES)
    assert len(bench.cluster.asked) == 2


def test_an_overloaded_server_is_no_answer_after_two(bench: Bench) -> None:
    bench.cluster.answer = lambda *_: (503, status_of(503, "ServiceUnavailable", "etcd"))
    assert "503: etcd" in str(refusal(bench))
    assert len(bench.cluster.asked) == 2


@pytest.mark.parametrize("body", [[], {"spec": 7}, {"spec": {"selector": {"matchLabels": [1]}}}])
def test_an_answer_that_is_no_deployment_is_no_answer(bench: Bench, body: Any) -> None:
    bench.cluster.answer = lambda *_: (200, body)
    assert refusal(bench).kind is NoAnswerKind.UNUSABLE


def test_without_the_package_one_line_says_how_to_install_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "find_spec", lambda _: None)
    assert "pip install 'kamiyo-verify[kubernetes]'" in str(refusal(bench))


ENVIRONMENT = """
[services.notes]
url = "https://notes.example"
hosting_id = "notes"
[kubernetes]
namespace = "shop"
context = "production"
commit = {image = "tag"}
"""


def load(folder: Path, text: str) -> Any:
    (folder / "prod.toml").write_text(text)
    return load_environment("prod", folder, overrides={}, variables={}, dotenv=None)


def test_an_environment_file_names_the_cluster(tmp_path: Path) -> None:
    environment = load(tmp_path, ENVIRONMENT)
    assert environment.host is environment.kubernetes
    assert environment.kubernetes.namespace == "shop"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('context = "production"', "", "needs context"),
        ('{image = "tag"}', "{}", "exactly one of label, annotation and image"),
        ('{image = "tag"}', '{image = "tag", pattern = "a"}', "exactly one group"),
        ('{image = "tag"}', '{image = "tag", pattern = "("}', "no regular expression"),
        ('context = "production"', 'access = "token"\nserver = "http://10.0.0.1"', "https address"),
        ('context = "production"', 'access = "in-cluster"\ncontext = "x"', "context: only with"),
        ('"shop"', '"Shop!"', "namespace"),
        ("[kubernetes]", '[render]\nowner = "tea-1"\n[kubernetes]', "keep one of them"),
        ('hosting_id = "notes"', 'hosting_id = "Notes/../x"', "name of a Deployment"),
        ('hosting_id = "notes"', "", "no .*hosting_id"),
    ],
)
def test_a_mistake_in_the_file_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load(tmp_path, ENVIRONMENT.replace(old, new))


def test_a_file_is_refused_where_the_package_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'kamiyo-verify\[kubernetes\]'"):
        load(tmp_path, ENVIRONMENT)


def test_a_table_is_validated_on_its_own(bench: Bench) -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        bench.table(commit={"label": "a", "image": "tag"})
