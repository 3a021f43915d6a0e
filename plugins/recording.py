"""What a run writes down so that it can be judged again, and how that is read: evidence.jsonl, line by line.

Its lines, by their "kind": `run` (what it is, and the runbook it goes by) · `selection` (what it is about) ·
`result` (each try at a test) · `conclusion` (all that the judge was given) · `broken` (judging or writing
broke) · `verdict` (what came of it). A run that was killed lacks the last ones; its last line may be torn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from plugins.conclusion import broken, conclude
from plugins.judge.evidence import Evidence
from plugins.judge.seen import commit_answering, deployed, traffic
from plugins.masking import Masker
from plugins.model.recorded import Ending, RecordedRun, Recording
from plugins.model.result import Attempt, Result
from plugins.model.runbook import Runbook
from plugins.model.verdict import Verdict
from plugins.model.words import Part, Phase
from plugins.results import Results

INTERRUPTED = 2
"""pytest's own exit code of a run that was cut short."""

_ID = re.compile(r'\{"kind": "run", "schema": "[^"]*", "id": "([^"]+)"')

_RESULT: TypeAdapter[Result] = TypeAdapter(Result)


class NoRecording(Exception):
    """A file holds no run that can be judged; the message says why."""


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
    """All of it but the runbook, JSON-safe."""
    data: dict[str, Any] = _evidence().dump_python(evidence, mode="json", exclude={"runbook"})
    return data


def evidence_from(data: Mapping[str, Any], runbook: Runbook) -> Evidence:
    """The evidence again, under this runbook.

    Raises:
        pydantic.ValidationError: it is not the shape of evidence, or names items that the runbook has not.
    """
    return _evidence().validate_python({**data, "runbook": runbook})


def masked_runbook(runbook: Runbook, masker: Masker) -> Runbook:
    """The runbook without secrets, as it is written down and judged by.

    Where a credential equals a word of its structure, that word hides nothing and stays.
    """
    try:
        return Runbook.model_validate(masker.data(runbook.model_dump(mode="json")))
    except ValidationError:
        return runbook


def judged(recording: Recording) -> Verdict:
    """The verdict of a recorded run by the runbook that it was judged by."""
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
        )
    return judged_by(recording, Runbook.model_validate(recording.runbook))


def judged_by(recording: Recording, runbook: Runbook) -> Verdict:
    """The verdict of a recorded run by some runbook, which has every item that the evidence names."""
    verdict = conclude(evidence_from(recording.evidence, runbook), recording.exitstatus)
    return masked(verdict, Masker())


def masked(verdict: Verdict, masker: Masker) -> Verdict:
    """The verdict without secrets, and as whoever reads verdict.json will have it."""
    return Verdict.from_json(masker.data(verdict.as_json()))


def read_recording(path: Path) -> Recording:
    """The run that an evidence file tells of.

    Raises:
        NoRecording: it tells of none, or not enough to judge it.
        OSError: it cannot be read.
    """
    lines = read_lines(path)
    try:
        return _recording(lines, path.parent)
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise NoRecording(f"{path}: not of the agreed form: {type(error).__name__}: {error}") from error


def read_lines(path: Path) -> Lines:
    """The lines of an evidence file; a last one that is torn does not count.

    Raises:
        NoRecording: its first line is no header with what it takes to judge.
        OSError: it cannot be read.
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
    """The id of the run that an evidence file tells of; "" where it tells of none. It reads no further.

    Raises:
        OSError: it cannot be read.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        found = _ID.match(file.read(200))
    return found[1] if found else ""


@cache
def _evidence() -> TypeAdapter[Evidence]:
    return TypeAdapter(Evidence)


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
    runbook = Runbook.model_validate(head["runbook"])
    problem = str(lines.problem["problem"]) if lines.problem else ""
    data = lines.conclusion["evidence"] if lines.conclusion else _cut_short(lines, runbook)
    exitstatus = int(lines.conclusion["exitstatus"]) if lines.conclusion else INTERRUPTED
    evidence = evidence_from(data, runbook)
    seen = deployed(evidence.commit, evidence.results)
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
    """What the judge would have been given, had a run that was killed been interrupted instead."""
    head, selection = lines.run, lines.selection or {}
    results = Results()
    for line in lines.results:
        result = _RESULT.validate_python({key: line[key] for key in _RESULT_KEYS if key in line})
        results.restore(result)
    evidence = Evidence(
        runbook=runbook,
        environment=head["environment"],
        phases=tuple(Phase(phase) for phase in selection.get("phases", ())),
        results=tuple(results.of_items().values()),
        expected=tuple(selection.get("expected", ())),
        no_check=tuple(selection.get("no_check", ())),
        absent=frozenset(Part(part) for part in head["absent"]),
        project=head["project"],
        production=head["production"],
        commit=head["commit"],
        started_at=head["started_at"],
        finished_at=_last_moment(lines),
        interrupted=True,
    )
    return evidence_data(evidence)


_RESULT_KEYS = tuple(Result.__dataclass_fields__)


def _last_moment(lines: Lines) -> str:
    """When the last try ended that is known, else when the run began."""
    moments: list[str] = [lines.run["started_at"]]
    for line in lines.results:
        last = Attempt(**line["attempts"][-1])
        ended = datetime.fromisoformat(last.started_at) + timedelta(seconds=last.duration_s)
        moments.append(ended.isoformat(timespec="milliseconds"))
    return max(moments)
