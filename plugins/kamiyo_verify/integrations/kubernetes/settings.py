"""The table [kubernetes] of an environment file: Deployments of a Kubernetes cluster as the host."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from kamiyo_verify.model.tables import BaseAddress, Credential, Table


class Access(StrEnum):
    """How the API server is found and who we are there."""

    KUBECONFIG = "kubeconfig"
    IN_CLUSTER = "in-cluster"
    TOKEN = "token"  # noqa: S105 - a kind, not a token


def _one_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if pattern and groups != 1:
        raise ValueError("must have exactly one group, which is the commit, such as main-([0-9a-f]{7,40})")
    return pattern


class CommitSource(Table):
    """Where a pod template names its commit; exactly one of the first three keys.

    Attributes:
        label: a label of the pod template, such as "app.kubernetes.io/version".
        annotation: an annotation of the pod template or of the Deployment, such as
            "org.opencontainers.image.revision".
        image: a part of the image's name: its tag or its digest.
        pattern: a regular expression whose only group is the commit; without it the whole text is.
    """

    label: str = ""
    annotation: str = ""
    image: Literal["", "tag", "digest"] = ""
    pattern: Annotated[str, AfterValidator(_one_group)] = ""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(map(bool, (self.label, self.annotation, self.image))) != 1:
            raise ValueError('must have exactly one of label, annotation and image, such as {image = "tag"}')
        return self

    def __str__(self) -> str:
        if self.image:
            return f"the image's {self.image}"
        return f"the label {self.label}" if self.label else f"the annotation {self.annotation}"


class Kubernetes(Table):
    """Deployments as the host; each service's Deployment is in `[services.NAME] hosting_id`.

    Attributes:
        namespace: of the Deployments; `hosting_id = "other/notes"` names another one for one service.
        access: "kubeconfig", "in-cluster" (the pod's own service account), or "token".
        kubeconfig: the file; "" for what kubectl reads: $KUBECONFIG, else ~/.kube/config.
        context: of the kubeconfig; required, so that no run depends on `kubectl config use-context`.
        server: of access "token": the address of the API server, https.
        certificate_authority: of access "token": a PEM file; "" for the public authorities.
        token: of access "token": the variable that holds the token.
        commit: where a pod template names its commit.
        container: whose image and logs count, where a pod has several.
        auto_deploy: whether something such as Argo CD puts the Deployment back to what a repository says.
            Where it is not given, their labels and annotations tell.
        dashboard: URL of a service's page; {namespace} and {deployment} are replaced.
        deploy_timeout_s: seconds that a rollout may take.
        poll_s: seconds between two looks at a rollout.
        log_errors_per_minute: lines of errors a minute that are usual in the logs.
    """

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    access: Access = Access.KUBECONFIG
    kubeconfig: str = ""
    context: str = ""
    server: BaseAddress | None = None
    certificate_authority: str = ""
    token: Credential = Credential(name="KUBERNETES_TOKEN")
    commit: CommitSource
    container: str = ""
    auto_deploy: bool | None = None
    dashboard: str = ""
    deploy_timeout_s: float = Field(default=2400, gt=0, le=7200)
    poll_s: float = Field(default=5, gt=0, le=60)
    log_errors_per_minute: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _access_is_complete(self) -> Self:
        if self.access is Access.KUBECONFIG and not self.context:
            raise ValueError("access by a kubeconfig needs context: the cluster is never that of the moment")
        if self.access is Access.TOKEN and not (self.server or "").startswith("https://"):
            raise ValueError("access by a token needs server, the https address of the API server")
        given = {"kubeconfig": self.kubeconfig, "context": self.context}
        if self.access is not Access.KUBECONFIG and any(given.values()):
            raise ValueError(f'{" and ".join(filter(given.get, given))}: only with access = "kubeconfig"')
        given = {"server": self.server or "", "certificate_authority": self.certificate_authority}
        if self.access is not Access.TOKEN and any(given.values()):
            raise ValueError(f'{" and ".join(filter(given.get, given))}: only with access = "token"')
        return self

    @property
    def title(self) -> str:
        """The host's name in messages."""
        return "Kubernetes"

    @property
    def credential(self) -> str:
        """The variable of the credential; "" where a kubeconfig or the pod holds it."""
        return self.token.name if self.access is Access.TOKEN else ""

    @property
    def has_credential(self) -> bool:
        """Whether the credential is there; a kubeconfig and a pod hold their own."""
        return self.access is not Access.TOKEN or self.token.present
