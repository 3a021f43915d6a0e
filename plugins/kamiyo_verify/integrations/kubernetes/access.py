"""Reach the API server: by a kubeconfig, as the pod's service account, or with a token.

The package `kubernetes` is an optional extra and is imported on the first request.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kamiyo_verify.integrations.kubernetes.settings import Access, Kubernetes
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

INSTALL = "pip install 'kamiyo-verify[kubernetes]'"
_BEARER = "BearerToken"


def lacking() -> str:
    """Return what is missing and how to install it; "" if the Kubernetes client is installed."""
    return "" if find_spec("kubernetes") else f"the Kubernetes client is not installed; run: {INSTALL}"


def open_client(table: Kubernetes) -> ApiClient:
    """Return a client of the API server that verifies TLS, follows no redirect and repeats nothing.

    Raises:
        NoAnswer: UNUSABLE, the package, the kubeconfig or the service account is missing or unusable.
    """
    if why := lacking():
        raise NoAnswer(NoAnswerKind.UNUSABLE, why)
    from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415 - an optional extra, and slow
    from urllib3 import Retry  # noqa: PLC0415

    configuration = Configuration()
    _configure(table, configuration)
    _refuse_insecure(configuration)
    configuration.retries = Retry(0, redirect=0, raise_on_redirect=False, raise_on_status=False)
    return ApiClient(configuration)


def secrets_of(configuration: Configuration) -> Iterable[str]:
    """Yield the credentials that are sent, so that no message repeats them."""
    values = (*configuration.api_key.values(), configuration.password, configuration.access_token)
    for value in values:
        if value:
            yield value.partition(" ")[2] or value


def _configure(table: Kubernetes, configuration: Configuration) -> None:
    from kubernetes import config  # noqa: PLC0415
    from yaml import YAMLError  # noqa: PLC0415

    try:
        if table.access is Access.TOKEN:
            configuration.host = table.server or ""
            configuration.api_key[_BEARER] = f"Bearer {table.token.reveal().strip()}"
            if table.certificate_authority:
                configuration.ssl_ca_cert = str(Path(table.certificate_authority).expanduser())
                Path(configuration.ssl_ca_cert).read_bytes()
        elif table.access is Access.IN_CLUSTER:
            config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        else:
            file = str(Path(table.kubeconfig).expanduser()) if table.kubeconfig else None
            load = config.load_kube_config
            load(file, table.context, configuration, persist_config=False)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise _unusable(f"{error.filename or 'a file'} cannot be read: {error.strerror or error}") from None
    except (config.ConfigException, YAMLError, LookupError, TypeError, ValueError, AttributeError) as error:
        # A parser's message may quote the file, which holds secrets; the client's own messages do not.
        why = str(error) if isinstance(error, config.ConfigException) else type(error).__name__
        raise _unusable(f"{_describe(table)} cannot be used: {why}") from None


def _refuse_insecure(configuration: Configuration) -> None:
    host = urlsplit(configuration.host)
    if host.scheme != "https":
        raise _unusable(
            f"the API server {host.scheme}://{host.netloc} is not https, so nothing is sent to it"
        )
    if not configuration.verify_ssl:
        raise _unusable(
            "the kubeconfig says insecure-skip-tls-verify, so that the token could go to anybody: give the"
            " cluster's certificate-authority-data instead"
        )


def _describe(table: Kubernetes) -> str:
    if table.access is Access.KUBECONFIG:
        return f"the context {table.context} of {table.kubeconfig or 'the kubeconfig'}"
    return "the pod's service account" if table.access is Access.IN_CLUSTER else "[kubernetes]"


def _unusable(message: str) -> NoAnswer:
    return NoAnswer(NoAnswerKind.UNUSABLE, message)
