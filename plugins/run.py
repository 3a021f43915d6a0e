"""One verification run, as all its parts see it, in each of its processes."""

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

from plugins.attestations import FOLDER, load_attestations
from plugins.clock import Clock
from plugins.configuration import ConfigurationError, load_environment, load_runbook, with_launched
from plugins.launching import LaunchedPlatform, LaunchError, ready_line
from plugins.masking import Masker
from plugins.model.attestation import Attestation
from plugins.model.environment import Environment
from plugins.model.runbook import Runbook
from plugins.model.tables import Credential
from plugins.model.words import Action, Attribution, Impact, Part, Phase, SloVerdict, Status
from plugins.options import Mode, Options
from plugins.report_dir import make_report_dir
from plugins.selection import first_phase_named, phases_of_expression

WORKER_INPUT = "kamiyo_verify"

_DEADLINE_S = 600.0


@dataclass
class Run:
    """What the parts of the plugin share.

    Attributes:
        report_dir: where the report goes; None where nothing is run.
        started_at: UTC, ISO 8601.
        attestations: the latest word on each item that someone vouched for.
        is_worker: this process runs items for a controller.
        launches: the platform is started for a run that verifies, and not already there.
        not_used: what a file of objectives says and nothing comes of.
        platform: the platform that was started for this run, in the process that started it.
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
    _environment: Environment | None = field(default=None, repr=False)

    @classmethod
    def begin(cls, config: pytest.Config, mode: Mode) -> Self:
        """Begin a run: read the configuration, make room for the report, start the platform.

        Raises:
            pytest.UsageError: something of that is not possible; the message says what to do.
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
            runbook = load_runbook(root / "runbook.toml", slos, not_used)
            attestations = _attestations(root, runbook, environment, options)
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None
        launches = environment.launch is not None and not (options.overrides or options.launched)
        if options.faults and not launches:
            why = f"{environment.name} has no [launch]"
            why = "it is running already" if options.launched else why
            why = "an address was given" if options.overrides else why
            raise pytest.UsageError(
                f"--fault {options.faults[0]}: only a platform that this run starts can be broken, and {why}"
            )
        if options.notify and not environment.notifications.channels:
            raise pytest.UsageError(f"--notify: {environment.name} has no channels in [notifications]")
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
    def join(cls, config: pytest.Config, told: str) -> Self:
        """Join a run as one of its workers, with what the controller tells."""
        data = json.loads(told)
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

    def told_to_workers(self) -> str:
        """All that a worker needs. It holds the credentials, and goes through a pipe in memory."""
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
        """The environment, complete; waits for the platform that was started, if it is not ready yet.

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
        """The environment as far as it is known without waiting."""
        if self._environment is None:
            raise RuntimeError("a run has an environment from its beginning on")
        return self._environment

    def _know(self, environment: Environment) -> None:
        self._environment = environment
        self.masker.learn(environment)


RUN = pytest.StashKey[Run]()


def now() -> str:
    """This moment in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _with_value(credential: Credential) -> dict[str, str | None]:
    return {"name": credential.name, "value": credential.reveal() if credential.present else None}


def _deadline_s(config: pytest.Config, environment: Environment) -> float:
    """Ten minutes, and where a deployment is waited for as long again as it may take."""
    waits = Phase.DEPLOY in phases_of_expression(config.option.markexpr) and environment.render is not None
    return _DEADLINE_S + (environment.render.deploy_timeout_s if waits and environment.render else 0.0)


def _attestations(
    root: Path, runbook: Runbook, environment: Environment, options: Options
) -> dict[str, Attestation]:
    folders = [root / FOLDER]
    if environment.project is not None:
        folders.append(root / environment.project.path / environment.project.attestations)
    return load_attestations(
        runbook, said=options.attested, commit=options.commit, folders=folders, now=datetime.now(UTC)
    )


def vocabulary(runbook: Runbook, environment: Environment) -> Iterable[str]:
    """The words that every report is made of: a credential equal to one of them hides nothing."""
    for enum in (Action, Attribution, Impact, Part, Phase, SloVerdict, Status):
        yield from enum
    yield from (environment.name, environment.title, "true", "false", "null", "none")
    for item in runbook.items:
        yield from (item.id, *item.id.replace("-", ".").split("."))
    yield from (key for table in environment.credentials for key in table.split("."))
