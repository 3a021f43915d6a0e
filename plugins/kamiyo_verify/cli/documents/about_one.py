"""`make retrospective` and `make incident`: draft pages about one deployment, for people to complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from kamiyo_verify.cli.documents.drafts import write_draft
from kamiyo_verify.cli.documents.reports import links
from kamiyo_verify.cli.documents.sources import Sources
from kamiyo_verify.cli.documents.subjects import Subjects
from kamiyo_verify.config.draft import shown
from kamiyo_verify.judge.history.incident import incident
from kamiyo_verify.judge.history.retrospective import retrospective
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.deployment_record import Incident, Retrospective
from kamiyo_verify.model.history.recorded_run import RecordedRun
from kamiyo_verify.reporting.pages.incident import incident_md
from kamiyo_verify.reporting.pages.retrospective import retrospective_md

_RETROSPECTIVE: TypeAdapter[Retrospective] = TypeAdapter(Retrospective)
_INCIDENT: TypeAdapter[Incident] = TypeAdapter(Incident)


def write_retrospective(root: Path, environment: str, named: str) -> str:
    """Draft a retrospective; return a line with its path.

    Args:
        root: the project's folder.
        environment: the name of the environment.
        named: a commit, a run's id or its beginning, a report's folder; "" for the newest deployment.

    Raises:
        ConfigurationError: the environment or the runbook is not valid.
        LedgerUnavailable: the ledger cannot be read.
        LookupError: `named` matches nothing, or more than one thing; the message lists the choices.
        OSError: the page cannot be written.
    """
    desk = _Desk.of(root, environment)
    with Store.opened(desk.sources.urls[0]) as store:
        subjects = Subjects(store, environment)
        deployment_file = subjects.deployment_file(subjects.deployment(named))
    page = desk.sources.masked(
        _RETROSPECTIVE, retrospective(desk.sources.runbook(environment), deployment_file)
    )
    stem = f"retrospective-{page.deployment_file.record.commit[:7] or page.deployment_file.last.id}"
    return desk.write(stem, deployment_file.runs, lambda hrefs, at: retrospective_md(page, hrefs, at=at))


def write_incident(root: Path, environment: str, named: str) -> str:
    """Draft an incident page; "" is the newest run with a rollback or fix; else see `write_retrospective`."""
    desk = _Desk.of(root, environment)
    with Store.opened(desk.sources.urls[0]) as store:
        subjects = Subjects(store, environment)
        subject = subjects.trouble(named)
        deployment_file = subjects.deployment_file(subject)
    run = next(one for one in deployment_file.runs if one.id == subject.run)
    page = desk.sources.masked(_INCIDENT, incident(desk.sources.runbook(environment), deployment_file, run))
    return desk.write(
        f"incident-{run.id}", deployment_file.runs, lambda hrefs, at: incident_md(page, hrefs, at=at)
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where the pages of an environment are written."""

    sources: Sources
    reports: Path
    folder: Path

    @classmethod
    def of(cls, root: Path, environment: str) -> _Desk:
        reports = root / "reports"
        return cls(Sources.of(root, environment), reports, reports / environment)

    def write(
        self, stem: str, runs: tuple[RecordedRun, ...], page: Callable[[dict[str, str], str], str]
    ) -> str:
        hrefs = self.sources.masker.data(links(runs, self.reports, seen_from=self.folder))
        text = page(hrefs, datetime.now(UTC).isoformat(timespec="seconds"))
        written = write_draft(self.folder, stem, text)
        beside = f"; {shown(written.kept)} has been edited and stays as it is" if written.kept else ""
        return f"{shown(written.path)}{beside}"
