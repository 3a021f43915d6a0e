"""`make retrospective` and `make incident`: pages about one deployment, for people to go on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from plugins.draft import shown
from plugins.judge.incident import incident
from plugins.judge.retrospective import retrospective
from plugins.ledger.store import Store
from plugins.model.dossier import Incident, Retrospective
from plugins.model.recorded import RecordedRun
from plugins.pages.drafts import write_draft
from plugins.pages.reports import links
from plugins.pages.sources import Sources
from plugins.pages.subjects import Subjects
from plugins.writers.pages.incident import incident_md
from plugins.writers.pages.retrospective import retrospective_md

_RETROSPECTIVE: TypeAdapter[Retrospective] = TypeAdapter(Retrospective)
_INCIDENT: TypeAdapter[Incident] = TypeAdapter(Incident)


def write_retrospective(root: Path, environment: str, named: str) -> str:
    """Draft a retrospective; returns a line that tells where it is.

    Args:
        root: the project's folder.
        environment: its name.
        named: a commit, a run's id or its beginning, a report's folder; "" for the newest deployment.

    Raises:
        ConfigurationError: the environment or the runbook is not right.
        LedgerUnavailable: the ledger cannot be read.
        LookupError: it names nothing, or more than one thing; the choices are told.
        OSError: the page cannot be written.
    """
    desk = _Desk.of(root, environment)
    with Store.opened(desk.sources.urls[0]) as store:
        subjects = Subjects(store, environment)
        dossier = subjects.dossier(subjects.deployment(named))
    page = desk.sources.masked(_RETROSPECTIVE, retrospective(desk.sources.runbook(environment), dossier))
    stem = f"retrospective-{page.dossier.record.commit[:7] or page.dossier.last.id}"
    return desk.write(stem, dossier.runs, lambda hrefs, at: retrospective_md(page, hrefs, at=at))


def write_incident(root: Path, environment: str, named: str) -> str:
    """Draft an incident page; as `write_retrospective`, "" for the newest run that called for something."""
    desk = _Desk.of(root, environment)
    with Store.opened(desk.sources.urls[0]) as store:
        subjects = Subjects(store, environment)
        subject = subjects.trouble(named)
        dossier = subjects.dossier(subject)
    run = next(one for one in dossier.runs if one.id == subject.run)
    page = desk.sources.masked(_INCIDENT, incident(desk.sources.runbook(environment), dossier, run))
    return desk.write(f"incident-{run.id}", dossier.runs, lambda hrefs, at: incident_md(page, hrefs, at=at))


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where a page about an environment is written."""

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
