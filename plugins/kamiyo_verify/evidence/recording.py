"""Read and write evidence.jsonl, from which a run can be judged again.

Its lines, by "kind": `run` (runbook, options) · `selection` · `result` (each try of a test) · `conclusion`
(the judge's complete input) · `broken` · `verdict`. A killed run lacks the last ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kamiyo_verify.evidence.older_recordings import current_evidence, current_runbook
from kamiyo_verify.evidence.results import Results
from kamiyo_verify.judge.attribution.error_bodies import with_leaks
from kamiyo_verify.judge.conclusion import broken, conclude
from kamiyo_verify.judge.confirmation.outages import with_downtime
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.observations import commit_answering, deployed, traffic
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.adapters import adapter
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.history.recorded_run import Ending, RecordedRun, Recording
from kamiyo_verify.model.result import Attempt, Result
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Part, Phase

_ID = re.compile(r'\{"kind": "run", "schema": "[^"]*", "id": "([^"]+)"')


class NoRecording(Exception):
    """A file holds no run that can be judged; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of an evidence file, by kind."""

    run: Mapping[str, Any]
    selection: Mapping[str, Any] | None
    results: tuple[Mapping[str, Any], ...]
    conclusion: Mapping[str, Any] | None
    problem: Mapping[str, Any] | None
    concluded: bool


def evidence_data(evidence: Evidence) -> dict[str, Any]:
    """Return the evidence without the runbook, JSON-safe."""
    data: dict[str, Any] = adapter(Evidence).dump_python(evidence, mode="json", exclude={"runbook"})
    return data


def evidence_from(data: Mapping[str, Any], runbook: Runbook) -> Evidence:
    """Return evidence from its JSON-safe form, with this runbook.

    Raises:
        pydantic.ValidationError: the data is malformed, or names items that the runbook does not have.
    """
    return adapter(Evidence).validate_python({**current_evidence(data), "runbook": runbook})


def masked_runbook(runbook: Runbook, masker: Masker) -> Runbook:
    """Return the runbook with secrets masked, as it is recorded and used by the judge.

    If a credential equals a keyword of the runbook, masking would break it, so it stays unchanged.
    """
    try:
        return Runbook.model_validate(masker.data(runbook.model_dump(mode="json")))
    except ValidationError:
        return runbook


def judged(recording: Recording) -> Verdict:
    """Return the verdict of a recorded run by its own recorded runbook."""
    if recording.problem:
        evidence = recording.evidence
        return broken(
            project=evidence["project"],
            environment=evidence["environment"],
            phases=evidence["phases"],
            commit=evidence["commit"],
            started_at=evidence["started_at"],
            finished_at=recording.run.finished_at,
            problem=recording.problem,
            place=evidence.get("place", ""),
        )
    return judged_by(recording, Runbook.model_validate(current_runbook(recording.runbook)))


def judged_by(recording: Recording, runbook: Runbook) -> Verdict:
    """Return the verdict of a recorded run by another runbook, which must have all items of the evidence."""
    return masked(conclude(evidence_from(recording.evidence, runbook), recording.exitstatus), Masker())


def masked(verdict: Verdict, masker: Masker) -> Verdict:
    """Return the verdict with secrets masked, as verdict.json contains it."""
    return Verdict.from_json(masker.data(verdict.as_json()))


def read_recording(path: Path) -> Recording:
    """Read the run in an evidence file.

    Raises:
        NoRecording: the file holds no run, or not enough to judge it.
        OSError: the file cannot be read.
    """
    lines = read_lines(path)
    try:
        return _recording(lines, path.parent)
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise NoRecording(f"{path}: not of the agreed form: {type(error).__name__}: {error}") from error


def read_lines(path: Path) -> Lines:
    """Return the lines of an evidence file; an incomplete last line is ignored.

    Raises:
        NoRecording: the first line is not a header with a runbook.
        OSError: the file cannot be read.
    """
    found = [*_objects(path)]
    if not found or found[0].get("kind") != "run" or "runbook" not in found[0]:
        raise NoRecording(f"{path}: begins with no run that can be judged again")
    of: dict[str, list[Mapping[str, Any]]] = {}
    for line in found:
        of.setdefault(line.get("kind", ""), []).append(line)

    def last(kind: str) -> Mapping[str, Any] | None:
        return of.get(kind, [None])[-1]

    return Lines(
        run=found[0],
        selection=last("selection"),
        results=tuple(of.get("result", ())),
        conclusion=last("conclusion"),
        problem=last("broken"),
        concluded="verdict" in of,
    )


def run_id(path: Path) -> str:
    """Return the id of the run in an evidence file; "" if there is none. Reads only the first 200 characters.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        found = _ID.match(file.read(200))
    return found[1] if found else ""


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                found = json.loads(line) if line.endswith("\n") else None
            except ValueError:
                return
            if not isinstance(found, dict):
                return
            yield found


def _recording(lines: Lines, folder: Path) -> Recording:
    head = lines.run
    runbook = Runbook.model_validate(current_runbook(head["runbook"]))
    problem = str(lines.problem["problem"]) if lines.problem else ""
    data = lines.conclusion["evidence"] if lines.conclusion else _cut_short(lines, runbook)
    exitstatus = int(lines.conclusion["exitstatus"]) if lines.conclusion else int(ExitCode.INTERRUPTED)
    evidence = evidence_from(data, runbook)
    seen = with_downtime(deployed(evidence.commit, evidence.results), evidence.timelines)
    finished_at = str(lines.problem["finished_at"]) if lines.problem else evidence.finished_at
    finished = bool(lines.conclusion) and lines.concluded and not evidence.interrupted
    verdict = conclude(evidence, exitstatus)
    recording = Recording(
        run=RecordedRun(
            id=head["id"],
            environment=evidence.environment,
            phases=evidence.phases,
            commit=evidence.commit or commit_answering(evidence.results),
            baseline=bool(head["baseline"]),
            drill=bool(head["faults"] or head.get("launched")),
            started_at=evidence.started_at,
            finished_at=finished_at,
            ending=Ending.FINISHED if finished else Ending.INTERRUPTED,
            folder=str(folder.resolve()),
            verdict=masked(verdict, Masker()),
            results=evidence.results,
        ),
        evidence=data,
        runbook=head["runbook"],
        exitstatus=exitstatus,
        problem=problem,
        deployed=seen if seen.commit else None,
        traffic=traffic(runbook, evidence.results),
    )
    return replace(recording, run=replace(recording.run, verdict=judged(recording))) if problem else recording


def _cut_short(lines: Lines, runbook: Runbook) -> dict[str, Any]:
    """Return the judge's input for a killed run, as if the run had been interrupted."""
    head, selection = lines.run, lines.selection or {}
    results = Results()
    for line in lines.results:
        result = adapter(Result).validate_python({key: line[key] for key in _RESULT_KEYS if key in line})
        results.restore(result)
    evidence = Evidence(
        runbook=runbook,
        environment=head["environment"],
        phases=tuple(Phase(phase) for phase in selection.get("phases", ())),
        results=tuple(with_leaks(results.of_items(), runbook).values()),
        expected=tuple(selection.get("expected", ())),
        no_check=tuple(selection.get("no_check", ())),
        not_run=selection.get("not_run", {}),
        absent=frozenset(Part(part) for part in head["absent"]),
        project=head["project"],
        production=head["production"],
        commit=head["commit"],
        started_at=head["started_at"],
        finished_at=_last_moment(lines),
        interrupted=True,
        place=head.get("place", ""),
    )
    return evidence_data(evidence)


_RESULT_KEYS = tuple(Result.__dataclass_fields__)


def _last_moment(lines: Lines) -> str:
    """Return when the last known attempt ended, else when the run began."""
    moments: list[str] = [lines.run["started_at"]]
    for last in (Attempt(**line["attempts"][-1]) for line in lines.results):
        ended = datetime.fromisoformat(last.started_at) + timedelta(seconds=last.duration_s)
        moments.append(ended.isoformat(timespec="milliseconds"))
    return max(moments)
