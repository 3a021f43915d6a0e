"""The state of one verification run that all parts of the plugin share, in each process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest

from kamiyo_verify.config.attestations import FOLDER, load_attestations
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import (
    ConfigurationError,
    load_environment,
    load_runbook,
    with_launched,
)
from kamiyo_verify.config.service_names import fitting
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.hooks.clock import Clock
from kamiyo_verify.hooks.collecting.mistakes import on_one_line, refuse_no_phase, refuse_unknown_stays
from kamiyo_verify.hooks.launching import LaunchedPlatform, LaunchError, ready_line
from kamiyo_verify.hooks.options import Mode, Options
from kamiyo_verify.hooks.report_dir import make_report_dir
from kamiyo_verify.hooks.selection import first_phase_named, phases_of_expression
from kamiyo_verify.hooks.written_runbook.option import refuse_another_runbook
from kamiyo_verify.http.hangs import Hangs
from kamiyo_verify.http.overlap.ahead import Ahead
from kamiyo_verify.http.repeats import RepeatableRequests
from kamiyo_verify.integrations.opentelemetry.variables import header_secrets
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.attestation import Attestation
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Action, Attribution, Impact, Part, Phase, SloVerdict, Status

WORKER_INPUT = "kamiyo_verify"

_DEADLINE_S = 600.0


@dataclass
class Run:
    """What the parts of the plugin share.

    Attributes:
        report_dir: the report folder; None if no check runs.
        started_at: UTC, ISO 8601.
        attestations: the latest attestation of each item, by item id.
        is_worker: whether this process runs items for a controller.
        launches: whether a verifying run starts the platform, because it is not already running.
        not_used: the parts of a file of objectives that have no effect.
        platform: the platform that this process started for this run.
        hangs: the services that hang, as far as this process knows.
        repeats: the requests of this process that are safe to repeat.
        ahead: the answers of this process that were asked for before their item's turn.
    """

    mode: Mode
    options: Options
    runbook: Runbook
    clock: Clock
    masker: Masker
    report_dir: Path | None
    started_at: str
    attestations: Mapping[str, Attestation] = field(default_factory=dict)
    is_worker: bool = False
    launches: bool = False
    not_used: tuple[str, ...] = ()
    platform: LaunchedPlatform | None = None
    hangs: Hangs = field(default_factory=Hangs, repr=False)
    repeats: RepeatableRequests = field(default_factory=RepeatableRequests, repr=False)
    ahead: Ahead = field(default_factory=Ahead, repr=False)
    _environment: Environment | None = field(default=None, repr=False)

    @classmethod
    def begin(cls, config: pytest.Config, mode: Mode) -> Self:
        """Begin a run: read the configuration, create the report folder, start the platform.

        Raises:
            pytest.UsageError: one of these steps failed; the message says what to do.
        """
        options = Options.of(config)
        root = config.rootpath
        try:
            environment = load_environment(
                options.environment,
                root / "environments",
                overrides=options.overrides,
                variables=os.environ,
                dotenv=root / ".env",
                launched=ready_line(options.launched) if options.launched else None,
            )
            slos = options.slos or (root / environment.slo_file if environment.slo_file else None)
            not_used: list[str] = []
            runbook = fitting(load_runbook(root / "runbook.toml", slos, not_used), environment)
            refuse_unknown_stays(options, environment)
            attestations = _attestations(root, runbook, environment, options)
        except ConfigurationError as error:
            raise pytest.UsageError(on_one_line(str(error))) from None
        launches = environment.launch is not None and not (options.overrides or options.launched)
        if options.faults and not launches:
            why = "it is running already" if options.launched else f"{environment.name} has no [launch]"
            why = "an address was given" if options.overrides else why
            raise pytest.UsageError(
                f"--fault {options.faults[0]}: only a platform that this run starts can be broken, and {why}"
            )
        if options.stays and {*options.stays} >= {*environment.services}:
            words = " ".join(f"--stays {service}" for service in options.stays)
            raise pytest.UsageError(f"{words}: nothing was rolled back then, so no rollback can be verified")
        if options.notify and not environment.notifications.channels:
            raise pytest.UsageError(f"--notify: {environment.name} has no channels in [notifications]")
        if mode is Mode.VERIFY:
            refuse_no_phase(config)
        refuse_another_runbook(config, runbook.items)
        run = cls(
            mode=mode,
            options=options,
            runbook=runbook,
            clock=Clock(options.deadline_s or _deadline_s(config, environment)),
            masker=Masker(vocabulary(runbook, environment)),
            report_dir=None,
            started_at=now(),
            attestations=attestations,
            launches=launches,
            not_used=tuple(not_used),
        )
        run._know(environment)
        if mode is Mode.VERIFY:
            run.report_dir = make_report_dir(
                root, environment.name, explicit=options.report_dir, commit=options.commit
            )
            if environment.launch is not None and launches:
                arguments = [word for fault in options.faults for word in ("--fault", fault)]
                arguments += ["--commit", options.commit] if options.commit else []
                scene = first_phase_named(config.option.markexpr)
                arguments += ["--scene", scene] if scene and scene is not Phase.PERFORMANCE else []
                try:
                    run.platform = LaunchedPlatform(environment.launch, arguments, root)
                except LaunchError as error:
                    raise pytest.UsageError(run.masker.text(str(error))) from None
        return run

    @classmethod
    def join(cls, config: pytest.Config, handshake: str) -> Self:
        """Join a run as one of its workers, with the data that the controller sent."""
        data = json.loads(handshake)
        runbook = Runbook.model_validate(data["runbook"])
        environment = Environment.model_validate(data["environment"])
        options = Options.of(config)
        run = cls(
            mode=Mode.VERIFY,
            options=options,
            runbook=runbook,
            clock=Clock(data["deadline_s"], left_s=data["deadline"] - time.time()),
            masker=Masker(vocabulary(runbook, environment)),
            report_dir=Path(data["report_dir"]),
            started_at=data["started_at"],
            attestations={word["item"]: Attestation.model_validate(word) for word in data["attestations"]},
            is_worker=True,
        )
        run._know(environment)
        return run

    def worker_input(self) -> str:
        """Return the data for a worker as JSON. It contains credentials and goes through a pipe in memory."""
        data: dict[str, Any] = {
            "environment": self.environment.dumped(_with_value),
            "runbook": self.runbook.model_dump(mode="json"),
            "deadline": time.time() + self.clock.run_left,
            "deadline_s": self.clock.deadline_s,
            "report_dir": str(self.report_dir),
            "started_at": self.started_at,
            "attestations": [word.model_dump(mode="json") for word in self.attestations.values()],
        }
        return json.dumps(data)

    @property
    def environment(self) -> Environment:
        """The complete environment; waits until a platform that this run started is ready.

        Raises:
            pytest.UsageError: the platform did not start.
        """
        if self.platform is not None and not self.platform.is_known:
            try:
                self._know(with_launched(self.configured, self.platform.ready()))
            except (ConfigurationError, LaunchError) as error:
                raise pytest.UsageError(self.masker.text(str(error))) from None
        return self.configured

    @property
    def configured(self) -> Environment:
        """The environment as known now, without waiting for the platform."""
        if self._environment is None:
            raise RuntimeError("a run has an environment from its beginning on")
        return self._environment

    def _know(self, environment: Environment) -> None:
        self._environment = environment
        self.masker.learn(environment)
        for name, value in header_secrets(os.environ):
            self.masker.learn_values({name: value})


RUN = pytest.StashKey[Run]()


def _with_value(credential: Credential) -> dict[str, str | None]:
    return {"name": credential.name, "value": credential.reveal() if credential.present else None}


def _deadline_s(config: pytest.Config, environment: Environment) -> float:
    """Return the default deadline: ten minutes, plus the deployment timeout if the run waits for one."""
    waits, host = Phase.DEPLOY in phases_of_expression(config.option.markexpr), environment.host
    return _DEADLINE_S + (host.deploy_timeout_s if waits and host else 0.0)


def _attestations(
    root: Path, runbook: Runbook, environment: Environment, options: Options
) -> dict[str, Attestation]:
    project, folders = environment.project, [root / FOLDER]
    if project is not None:
        folders.append(root / project.path / project.attestations)
    return load_attestations(
        runbook, said=options.attested, commit=options.commit, folders=folders, now=datetime.now(UTC)
    )


def vocabulary(runbook: Runbook, environment: Environment) -> Iterable[str]:
    """Yield the words that occur in every report; a credential equal to one of them must not be masked."""
    for enum in (Action, Attribution, Impact, Part, Phase, SloVerdict, Status):
        yield from enum
    yield from (*environment.services, *runbook.services.names.values(), environment.name)
    yield from (environment.title, "true", "false", "null", "none")
    for item in runbook.items:
        yield from (item.id, *item.id.replace("-", ".").split("."))
    yield from (key for table in environment.secrets for key in table.split("."))
