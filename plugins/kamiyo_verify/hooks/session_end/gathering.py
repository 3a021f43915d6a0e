"""Gather the evidence for the judge: results, history and circumstances, each lookup with a time limit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from kamiyo_verify.evidence.baselines import with_before
from kamiyo_verify.evidence.recording import evidence_data, evidence_from
from kamiyo_verify.hooks.selection import Selection
from kamiyo_verify.hooks.session_end.circumstances import with_circumstances
from kamiyo_verify.hooks.session_end.conclusion import gather
from kamiyo_verify.hooks.session_end.controller_run import ControllerRun
from kamiyo_verify.hooks.session_end.interruptions import Interruptions, StepTooLong, limited
from kamiyo_verify.judge.evidence import Evidence

_LOOK_S = 30.0
"""Seconds for each lookup: the ledger's history, earlier runs, credentials, circumstances."""


def gathered(
    run: ControllerRun,
    selection: Selection,
    exitstatus: int,
    interruptions: Interruptions,
    note: Callable[[str], None],
) -> Evidence:
    """Return all evidence as written to the log and read back, so that the run can be judged again.

    Args:
        run: the run.
        selection: the selection of the run.
        exitstatus: pytest's exit status so far.
        interruptions: lets a signal end each wait.
        note: stores a line to print at the end of the run.
    """

    def looked_up(evidence: Evidence, more: Callable[[Evidence], Evidence]) -> Evidence:
        """Return the extended evidence, or the evidence unchanged after a timeout or a signal."""
        known = evidence
        with interruptions.waiting():
            try:
                with limited("looking up what surrounds the run", _LOOK_S):
                    known = more(evidence)
            except StepTooLong as late:
                note(f"Unknown      {late}")
        if interruptions.hurried:
            run.ledger.hurry(0.0)
        return known

    evidence = gather(run.run, run.runbook, selection, run.results, exitstatus=exitstatus)
    evidence = looked_up(evidence, lambda known: replace(known, history=run.ledger.history(known)))
    evidence = looked_up(evidence, lambda known: with_before(known, run.ledger.before(known)))
    run.ledger.now_known(run.run.configured)
    evidence = looked_up(evidence, lambda known: replace(known, credentials=run.ledger.credentials(known)))
    evidence = looked_up(
        evidence,
        lambda known: with_circumstances(
            run.run.configured, run.config.rootpath, known, run.ledger.bad_commits
        ),
    )
    evidence = replace(evidence, earlier=run.ledger.no_earlier(evidence))
    evidence = looked_up(evidence, lambda known: replace(known, earlier=run.ledger.earlier(known)))
    line = run.log.append("conclusion", exitstatus=exitstatus, evidence=evidence_data(evidence))
    return evidence_from(json.loads(line)["evidence"], run.runbook)
