"""A Kubernetes API server with Deployments, for tests: TLS, tokens, and what the controllers would do.

Every object that it sends is held against the official client's models first: each of its fields has to be
one of theirs. It answers kubectl's discovery too, so that kubectl itself judges and changes the same objects.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme
import yaml
from kubernetes.client import ApiClient

TOKEN = "canary-kubernetes-token"
NAMESPACE = "shop"
REVISION = "deployment.kubernetes.io/revision"
EARLIER = "deployment.kubernetes.io/revision-history"
HASH = "pod-template-hash"
COMMIT = "org.opencontainers.image.revision"

Json = dict[str, Any]


def stamp(moment: datetime) -> str:
    """The API's form of a time: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cluster:
    """The objects of one namespace; its methods are what people and controllers do."""

    def __init__(self) -> None:
        self.deployments: dict[str, Json] = {}
        self.replica_sets: list[Json] = []
        self.pods: list[Json] = []
        self.events: list[Json] = []
        self.logs: dict[tuple[str, str, bool], str] = {}
        self.asked: list[tuple[str, str]] = []
        self.token = TOKEN
        self.page = 500
        self.controller_runs = True
        self.unknown: set[str] = set()
        """Names of fields that the official client does not know, and that are sent nevertheless."""
        self.mistakes: list[str] = []
        """What was sent and is no object of the API; a test that finds one fails."""
        self.answer: Callable[[str, str], tuple[int, Json] | str | None] = lambda *_: None
        """Instead of the usual answer: a status with its body, or "cut" to close the connection."""
        self.lock = Lock()

    def release(self, name: str, commit: str, *, at: datetime | None = None, **more: Any) -> None:
        """Deploy a commit: create or change the Deployment, and let the rollout complete."""
        template = {
            "metadata": {"labels": {"app": name}, "annotations": {COMMIT: commit}},
            "spec": {"containers": [{"name": "app", "image": f"registry.example:5000/shop/{name}:{commit}"}]},
        }
        self.change(name, {**template, **more}, at=at)

    def change(self, name: str, template: Json, *, at: datetime | None = None) -> None:
        """Give a Deployment a pod template, as a push does."""
        if name not in self.deployments:
            self.deployments[name] = _new_deployment(name, template)
        else:
            self.deployments[name]["spec"]["template"] = template
            self.deployments[name]["metadata"]["generation"] += 1
        self.complete(name, at=at)

    def sync(self, name: str, *, at: datetime | None = None) -> Json:
        """What the Deployment controller does first: find or create the ReplicaSet, and number it."""
        deployment = self.deployments[name]
        own = self.own(name)
        last = max((int(one["metadata"]["annotations"][REVISION]) for one in own), default=0)
        template = deployment["spec"]["template"]
        found = next((one for one in own if _without_hash(one["spec"]["template"]) == template), None)
        moment = stamp(at or datetime.now(UTC))
        if found is None:
            found = _new_replica_set(deployment, template, len(self.replica_sets), moment)
            found["metadata"]["annotations"] = {
                **{k: v for k, v in deployment["metadata"].get("annotations", {}).items() if k != REVISION},
                REVISION: str(last + 1),
            }
            self.replica_sets.append(found)
        elif int(found["metadata"]["annotations"][REVISION]) < last:
            notes = found["metadata"]["annotations"]
            notes[EARLIER] = ",".join(filter(None, (notes.get(EARLIER, ""), notes[REVISION])))
            notes[REVISION] = str(last + 1)
        deployment["metadata"].setdefault("annotations", {})[REVISION] = found["metadata"]["annotations"][
            REVISION
        ]
        return found

    def begin(self, name: str, *, at: datetime | None = None) -> Json:
        """A rollout that has begun, and of whose pods none is available yet."""
        current = self.sync(name, at=at)
        deployment = self.deployments[name]
        wanted = deployment["spec"]["replicas"]
        current["spec"]["replicas"] = 1
        current["status"] = {"replicas": 1, "fullyLabeledReplicas": 1, "observedGeneration": 1}
        deployment["status"] = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": wanted + 1,
            "updatedReplicas": 1,
            "availableReplicas": wanted,
            "readyReplicas": wanted,
            "conditions": [
                _progressing("True", "ReplicaSetUpdated", f'ReplicaSet "{_name(current)}" is progressing.')
            ],
        }
        return current

    def exceed_deadline(self, name: str, *, at: datetime | None = None) -> None:
        """A rollout whose pods did not become available in time."""
        current = self.begin(name, at=at)
        message = f'ReplicaSet "{_name(current)}" has timed out progressing.'
        self.deployments[name]["status"]["conditions"] = [
            _progressing("False", "ProgressDeadlineExceeded", message)
        ]

    def complete(self, name: str, *, at: datetime | None = None) -> None:
        """A rollout that is complete: all pods are of the new template."""
        current = self.sync(name, at=at)
        deployment = self.deployments[name]
        wanted = deployment["spec"]["replicas"]
        for one in self.own(name):
            count = wanted if one is current else 0
            one["spec"]["replicas"] = count
            one["status"] = {"replicas": count, "observedGeneration": 1}
            if count:
                one["status"] |= {
                    "fullyLabeledReplicas": count,
                    "readyReplicas": count,
                    "availableReplicas": count,
                }
        moment = (at + timedelta(seconds=9)) if at else datetime.now(UTC)
        message = f'ReplicaSet "{_name(current)}" has successfully progressed.'
        deployment["status"] = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "readyReplicas": wanted,
            "availableReplicas": wanted,
            "conditions": [_progressing("True", "NewReplicaSetAvailable", message, moment)],
        }

    def own(self, name: str) -> list[Json]:
        """The ReplicaSets of a Deployment."""
        uid = self.deployments[name]["metadata"]["uid"]
        return [one for one in self.replica_sets if one["metadata"]["ownerReferences"][0]["uid"] == uid]

    def live(self, name: str) -> str:
        """The commit that a Deployment asks for."""
        template = self.deployments[name]["spec"]["template"]
        return str(template["metadata"]["annotations"][COMMIT])

    def pod(self, name: str, status: Json, *, of: int = -1) -> Json:
        """Add a pod to a Deployment's ReplicaSet, the newest by default; `status` is its container's."""
        owner = self.own(name)[of]
        pod = {
            "metadata": {
                "name": f"{_name(owner)}-{len(self.pods):05d}",
                "namespace": NAMESPACE,
                "uid": f"pod-{len(self.pods)}",
                "labels": owner["spec"]["template"]["metadata"]["labels"],
                "ownerReferences": [_owner("ReplicaSet", owner)],
                "creationTimestamp": stamp(datetime.now(UTC)),
            },
            "spec": {
                "containers": [
                    {"name": "app", "image": "i", "resources": {"limits": {"memory": "256Mi"}}},
                ]
            },
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {"name": "app", "image": "i", "imageID": "", "ready": False, "restartCount": 0, **status}
                ],
            },
        }
        self.pods.append(pod)
        return pod

    def event(self, about: str, reason: str, message: str, *, at: datetime | None = None) -> None:
        """Add an event of the kubelet or a controller."""
        moment = stamp(at or datetime.now(UTC))
        self.events.append(
            {
                "metadata": {
                    "name": f"{about}.{len(self.events)}",
                    "namespace": NAMESPACE,
                    "uid": f"e{len(self.events)}",
                },
                "involvedObject": {"kind": "Pod", "name": about, "namespace": NAMESPACE},
                "reason": reason,
                "message": message,
                "type": "Warning",
                "firstTimestamp": moment,
                "lastTimestamp": moment,
                "count": 1,
            }
        )

    def patch(self, name: str, operations: list[Json]) -> tuple[int, Json]:
        """Apply a JSON Patch as RFC 6902 says: wholly, or not at all."""
        changed = deepcopy(self.deployments[name])
        for one in operations:
            *parents, last = [
                part.replace("~1", "/").replace("~0", "~") for part in one["path"].split("/")[1:]
            ]
            within = changed
            for part in parents:
                within = within[part]
            if one["op"] == "test":
                if within.get(last) != one["value"]:
                    return 422, status_of(
                        422, "Invalid", "the server rejected our request due to an error in our request"
                    )
            else:
                if one["op"] == "replace" and last not in within:
                    return 422, status_of(
                        422, "Invalid", f"replace operation does not apply: missing key {last}"
                    )
                within[last] = one["value"]
        changed = _without_empty(changed)
        if changed["spec"] != self.deployments[name]["spec"]:
            changed["metadata"]["generation"] += 1
        self.deployments[name] = changed
        if self.controller_runs:
            self.complete(name)
        return 200, changed


def status_of(code: int, reason: str, message: str) -> Json:
    """The API's answer to a request that failed."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def proven(kind: str, found: Json, unknown: Collection[str] = ()) -> Json:
    """The object, after the official client's model of it has read every field and lost none."""
    api = ApiClient()
    read = api.deserialize(json.dumps(found), kind, "application/json")
    again = json.loads(json.dumps(api.sanitize_for_serialization(read)))  # type: ignore[no-untyped-call]
    lost = {leaf for leaf in _leaves(found) if leaf.rpartition(".")[2] not in unknown} - {*_leaves(again)}
    assert not lost, f"{kind} has no {', '.join(sorted(lost))}"
    return found


@contextmanager
def kubernetes_server(cluster: Cluster, folder: Path) -> Iterator[Path]:
    """Serve the cluster until the block ends; yields a kubeconfig with the context "test"."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    class Handler(_Handler):
        held = cluster

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "elsewhere",
                    "clusters": [
                        {
                            "name": "test",
                            "cluster": {
                                "server": f"https://127.0.0.1:{server.server_port}",
                                "certificate-authority": str(folder / "ca.pem"),
                            },
                        }
                    ],
                    "contexts": [
                        {
                            "name": "test",
                            "context": {"cluster": "test", "user": "test", "namespace": NAMESPACE},
                        }
                    ],
                    "users": [{"name": "test", "user": {"token": TOKEN}}],
                }
            )
        )
        try:
            yield kubeconfig
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held: Cluster

    def do_GET(self) -> None:
        self._answer("GET")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def _answer(self, method: str) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.held.lock:
            self.held.asked.append((method, parts.path))
            instead = self.held.answer(method, parts.path)
            if instead == "cut":
                self.close_connection = True
                return None
            if isinstance(instead, tuple):
                return self._say(*instead)
            if self.headers.get("Authorization", "").lower() != f"bearer {self.held.token}":
                return self._say(401, status_of(401, "Unauthorized", "Unauthorized"))
            if method == "PATCH":
                return self._patched(parts.path, body)
            try:
                return self._got(parts.path, query)
            except AssertionError as mistake:
                self.held.mistakes.append(str(mistake))
                raise

    def _patched(self, path: str, body: bytes) -> None:
        name = path.rpartition("/")[2]
        if self.headers["Content-Type"] != "application/json-patch+json":
            return self._say(415, status_of(415, "UnsupportedMediaType", self.headers["Content-Type"]))
        return self._say(*self.held.patch(name, json.loads(body)))

    def _got(self, path: str, query: dict[str, str]) -> None:
        cluster, within = self.held, f"/namespaces/{NAMESPACE}"
        if path in DISCOVERY:
            return self._say(200, DISCOVERY[path])
        if path == f"/apis/apps/v1{within}/deployments":
            chosen = query.get("fieldSelector", "").removeprefix("metadata.name=")
            rows = [one for name, one in cluster.deployments.items() if name == chosen or not chosen]
            return self._listed("V1Deployment", rows, query)
        if found := re.fullmatch(f"/apis/apps/v1{within}/deployments/([^/]+)", path):
            if found[1] not in cluster.deployments:
                message = f'deployments.apps "{found[1]}" not found'
                return self._say(404, status_of(404, "NotFound", message))
            return self._say(200, proven("V1Deployment", cluster.deployments[found[1]], cluster.unknown))
        if path == f"/apis/apps/v1{within}/replicasets":
            return self._listed("V1ReplicaSet", cluster.replica_sets, query)
        if path == f"/api/v1{within}/pods":
            return self._listed("V1Pod", cluster.pods, query)
        if path == f"/api/v1{within}/events":
            return self._listed("CoreV1Event", cluster.events, query)
        if found := re.fullmatch(f"/api/v1{within}/pods/([^/]+)/log", path):
            key = (found[1], query.get("container", ""), query.get("previous") == "true")
            if key not in cluster.logs:
                return self._say(400, status_of(400, "BadRequest", "previous terminated container not found"))
            return self._send(200, "text/plain", cluster.logs[key].encode())
        return self._say(404, status_of(404, "NotFound", "the server could not find the requested resource"))

    def _listed(self, kind: str, rows: list[Json], query: dict[str, str]) -> None:
        wanted = dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if "=" in pair)
        chosen = [
            proven(kind, one, self.held.unknown)
            for one in rows
            if wanted.items() <= one["metadata"].get("labels", {}).items()
        ]
        begin = int(query.get("continue") or 0)
        size = min(self.held.page, int(query.get("limit") or self.held.page))
        metadata = {"resourceVersion": "1"}
        if begin + size < len(chosen):
            metadata["continue"] = str(begin + size)
        group = "v1" if kind in {"V1Pod", "CoreV1Event"} else "apps/v1"
        name = kind.removeprefix("CoreV1").removeprefix("V1")
        listed = {"kind": f"{name}List", "apiVersion": group, "metadata": metadata}
        self._say(200, {**listed, "items": chosen[begin : begin + size]})

    def _say(self, status: int, data: Json) -> None:
        self._send(status, "application/json", json.dumps(data).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def _new_deployment(name: str, template: Json) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}", "generation": 1},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
        },
    }


def _new_replica_set(deployment: Json, template: Json, number: int, moment: str) -> Json:
    made = deepcopy(template)
    made["metadata"]["labels"][HASH] = f"hash{number}"
    name = f"{deployment['metadata']['name']}-hash{number}"
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"uid-{name}",
            "labels": made["metadata"]["labels"],
            "creationTimestamp": moment,
            "ownerReferences": [_owner("Deployment", deployment)],
        },
        "spec": {"replicas": 0, "selector": {"matchLabels": made["metadata"]["labels"]}, "template": made},
        "status": {"replicas": 0},
    }


def _owner(kind: str, one: Json) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": one["metadata"]["name"],
        "uid": one["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _progressing(status: str, reason: str, message: str, at: datetime | None = None) -> Json:
    moment = stamp(at or datetime.now(UTC))
    return {
        "type": "Progressing",
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": moment,
        "lastTransitionTime": moment,
    }


def _without_hash(template: Json) -> Json:
    found = deepcopy(template)
    found["metadata"]["labels"].pop(HASH, None)
    return found


def _without_empty(found: Any) -> Any:
    """Without null and {}, which a server does not keep: kubectl sends creationTimestamp and resources so."""
    match found:
        case dict():
            parts = {key: _without_empty(value) for key, value in found.items()}
            return {key: value for key, value in parts.items() if value not in (None, {})}
        case list():
            return [_without_empty(one) for one in found]
        case _:
            return found


def _name(one: Json) -> str:
    return str(one["metadata"]["name"])


def _leaves(found: Any, path: str = "") -> Iterator[str]:
    match found:
        case dict():
            for key, value in found.items():
                yield from _leaves(value, f"{path}.{key}")
        case list():
            for value in found:
                yield from _leaves(value, f"{path}[]")
        case None:
            return
        case _:
            yield path


def _resource(name: str, kind: str) -> Json:
    verbs = ["get", "list", "patch", "watch"]
    return {"name": name, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": verbs}


_APPS = {"groupVersion": "apps/v1", "version": "v1"}
DISCOVERY: dict[str, Json] = {
    "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [{"name": "apps", "versions": [_APPS], "preferredVersion": _APPS}],
    },
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [_resource("pods", "Pod"), _resource("events", "Event")],
    },
    "/apis/apps/v1": {
        "kind": "APIResourceList",
        "groupVersion": "apps/v1",
        "resources": [_resource("deployments", "Deployment"), _resource("replicasets", "ReplicaSet")],
    },
}
"""What kubectl asks first."""
