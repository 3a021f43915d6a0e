"""Send the verdict to other systems: each within a time limit, all at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.github.settings import GitHub
from kamiyo_verify.integrations.grafana.settings import Grafana
from kamiyo_verify.integrations.opentelemetry.variables import (
    ENDPOINT,
    PROTOCOL,
    malformed_endpoint,
    protocol,
    traces_wanted,
)
from kamiyo_verify.integrations.prometheus.settings import Prometheus
from kamiyo_verify.integrations.sentry.settings import Sentry
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Mutations
from kamiyo_verify.processes.background_job import BackgroundJob

Send = Callable[[ClientContext], None]

_GRACE_S = 0.5
"""Seconds for a request that runs out of time to report that."""


class NotSent(Exception):
    """Nothing can be sent to a system; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class ExportedVerdict:
    """A verdict as other systems get it.

    Attributes:
        verdict: without secrets.
        report_url: where the report is; "" if it has no address in the network.
        metrics: returns the verdict as Prometheus metrics.
        started: when each item began, by id; UTC, ISO 8601.
    """

    verdict: Verdict
    report_url: str
    metrics: Callable[[], str]
    started: Mapping[str, str]

    @property
    def commit(self) -> str:
        """The commit that was verified.

        Raises:
            NotSent: it is not known.
        """
        commit = self.verdict.commit or self.verdict.deployment.seen.commit
        if not commit:
            raise NotSent("the commit is not known: name it by --commit")
        return commit


def publish(environment: Environment, sends: Sequence[tuple[str, Send]]) -> Iterator[str]:
    """Send to every system; yield to which nothing was sent, and why.

    Args:
        environment: says how long that may take.
        sends: the systems, by name, and how each is reached.
    """
    patience_s = environment.exports.patience_s
    until = time.monotonic() + patience_s
    context = ClientContext.unrecorded(environment.timeouts, lambda: until - time.monotonic())
    jobs = [
        (name, BackgroundJob(partial(send, context.for_outside_systems()), "export")) for name, send in sends
    ]
    for name, job in jobs:
        try:
            job.outcome(until + _GRACE_S - time.monotonic())
        except TimeoutError:
            yield f"{name}: took longer than {patience_s:g} s"
        except Exception as error:  # noqa: BLE001 - a verdict does not depend on who hears of it
            yield f"{name}: {error or type(error).__name__}"


def systems(environment: Environment, exported: ExportedVerdict) -> Iterator[tuple[str, Send]]:
    """Yield the systems that the environment names.

    Their modules are imported here and not by what is yielded, which runs in threads: pytest rewrites each
    module of a plugin by `ast.parse`, and of two calls at once one may end in a SystemError (Python 3.11).
    """
    yield from _to_prometheus(environment.prometheus, exported)
    yield from _to_github(environment.github, exported)
    sentry, grafana = environment.sentry, environment.grafana
    if sentry is not None and sentry.deploy_marker and environment.mutations is Mutations.ALLOWED:
        yield "Sentry", _to_sentry(sentry, exported)
    if grafana is not None:
        yield "Grafana", _to_grafana(grafana, exported)


def traces(variables: Mapping[str, str], exported: ExportedVerdict) -> Iterator[tuple[str, Send]]:
    """Yield the receiver of traces, if OpenTelemetry's variables name one."""
    if traces_wanted(variables):
        yield "OpenTelemetry", _to_opentelemetry(variables, exported)


def _to_prometheus(table: Prometheus | None, exported: ExportedVerdict) -> Iterator[tuple[str, Send]]:
    if table is None:
        return
    if table.pushgateway is not None:
        yield "Pushgateway", _to_pushgateway(table, table.pushgateway, exported)
    if table.textfile_folder is not None:
        folder = Path(table.textfile_folder)
        yield "textfile collector", lambda _: _write_textfile(folder, exported)


def _to_pushgateway(table: Prometheus, address: str, exported: ExportedVerdict) -> Send:
    from kamiyo_verify.integrations.prometheus.pushgateway import Pushgateway  # noqa: PLC0415
    from kamiyo_verify.reporting.exports import prometheus as _  # noqa: F401, PLC0415 - for `exported.metrics`

    def push(context: ClientContext) -> None:
        if table.user:
            _present(table.password)
        verdict = exported.verdict
        with closing(Pushgateway(address, context, user=table.user, password=table.password)) as gateway:
            labels = {"environment": verdict.environment, "place": verdict.place}
            gateway.replace(exported.metrics(), table.job, **labels)

    return push


def _write_textfile(folder: Path, exported: ExportedVerdict) -> None:
    names = ("kamiyo_verify", exported.verdict.environment, exported.verdict.place)
    file = folder / f"{'_'.join(name for name in names if name)}.prom"
    try:
        write_atomically(file, exported.metrics())
        file.chmod(0o644)  # node_exporter runs as another user
    except OSError as error:
        raise NotSent(f"cannot write {file}: {error.strerror or error}") from error


def _to_github(table: GitHub | None, exported: ExportedVerdict) -> Iterator[tuple[str, Send]]:
    if table is None or not (table.status_context or table.deployment_environment):
        return
    from kamiyo_verify.integrations.github.statuses import GitHubStatuses  # noqa: PLC0415
    from kamiyo_verify.reporting.exports.github_status import (  # noqa: PLC0415
        commit_status,
        deployment_status,
    )

    def of_commit(context: ClientContext) -> None:
        _present(table.token)
        with closing(GitHubStatuses(table, context)) as github:
            body = commit_status(exported.verdict, table.status_context, exported.report_url)
            github.of_commit(exported.commit, body)

    def of_deployment(context: ClientContext) -> None:
        _present(table.token)
        with closing(GitHubStatuses(table, context)) as github:
            body = deployment_status(exported.verdict, exported.report_url)
            github.of_deployment(exported.commit, table.deployment_environment, body)

    if table.status_context:
        yield "GitHub commit status", of_commit
    if table.deployment_environment:
        yield "GitHub deployment status", of_deployment


def _to_sentry(table: Sentry, exported: ExportedVerdict) -> Send:
    from kamiyo_verify.integrations.sentry.deploys import SentryDeploys  # noqa: PLC0415
    from kamiyo_verify.reporting.exports.sentry_deploy import deploy_marker  # noqa: PLC0415

    def mark(context: ClientContext) -> None:
        if exported.verdict.deployment.seen.failed:
            return  # it did not go live, so nothing was deployed
        _present(table.token)
        with closing(SentryDeploys(table, context)) as sentry:
            marker = deploy_marker(exported.verdict, table.environment, table.projects, exported.report_url)
            sentry.mark(exported.commit, marker)

    return mark


def _to_grafana(table: Grafana, exported: ExportedVerdict) -> Send:
    from kamiyo_verify.integrations.grafana.client import Grafana as Client  # noqa: PLC0415
    from kamiyo_verify.reporting.exports.grafana_annotation import annotation  # noqa: PLC0415

    def annotate(context: ClientContext) -> None:
        _present(table.token)
        with closing(Client(table, context)) as grafana:
            grafana.annotate(annotation(exported.verdict, table.tags, table.dashboard, exported.report_url))

    return annotate


def _to_opentelemetry(variables: Mapping[str, str], exported: ExportedVerdict) -> Send:
    if (spoken := protocol(variables)) != PROTOCOL:
        return _refuse(f"the protocol is {spoken}, and only {PROTOCOL} is spoken")
    if variable := malformed_endpoint(variables):
        return _refuse(f"{variable} must be an http(s) URL, such as http://localhost:4318")
    try:
        from kamiyo_verify.integrations.opentelemetry.exporter import export  # noqa: PLC0415
    except ImportError:
        hint = "pip install 'kamiyo-verify[otel]'"
        return _refuse(f"{ENDPOINT} is set, and the SDK is not installed: {hint}")
    except Exception as error:  # noqa: BLE001 - such as parts of the SDK that do not fit together
        return _refuse(f"the SDK cannot be used: {type(error).__name__}: {error}")
    from kamiyo_verify.reporting.exports.spans import run_span  # noqa: PLC0415

    def trace(context: ClientContext) -> None:
        span = run_span(exported.verdict, exported.started)
        export(span, {"service.name": "kamiyo-verify"}, max(0.1, context.remaining()))

    return trace


def _refuse(why: str) -> Send:
    def send(_: ClientContext) -> None:
        raise NotSent(why)

    return send


def _present(credential: Credential) -> None:
    if not credential.present:
        raise NotSent(f"{credential.name} is not set")
