"""A cluster behind a real TLS socket, and the adapter that asks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.kubernetes.client import Cluster as Client
from kamiyo_verify.integrations.kubernetes.gateway import KubernetesGateway
from kamiyo_verify.integrations.kubernetes.hosting import KubernetesHosting
from kamiyo_verify.integrations.kubernetes.settings import Kubernetes
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from tests.support.kubernetes_server import COMMIT, NAMESPACE, Cluster, kubernetes_server


@dataclass
class Bench:
    """The fake cluster, and clients of it."""

    cluster: Cluster
    kubeconfig: Path
    exchanges: list[Exchange] = field(default_factory=list)

    def table(self, **keys: Any) -> Kubernetes:
        given = {"kubeconfig": str(self.kubeconfig), "context": "test", "namespace": NAMESPACE}
        return Kubernetes.model_validate({**given, "commit": {"annotation": COMMIT}, **keys})

    @property
    def context(self) -> ClientContext:
        return ClientContext(Timeouts(connect=10, answer=20), self.exchanges.append, lambda: 60.0)

    def hosting(self, hosting_id: str = "notes", **keys: Any) -> KubernetesHosting:
        table = self.table(**keys)
        return KubernetesHosting(Client(table, self.context), table, {"notes": hosting_id})

    def gateway(self, **keys: Any) -> KubernetesGateway:
        return KubernetesGateway(self.table(**keys), {"notes": "notes"}, self.context)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    cluster = Cluster()
    with kubernetes_server(cluster, tmp_path) as kubeconfig:
        yield Bench(cluster, kubeconfig)
    assert cluster.mistakes == []
