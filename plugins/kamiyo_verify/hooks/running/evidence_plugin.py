"""Attach each check's evidence to pytest's reports: measurements, exchanges and outcome."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cached_property
from urllib.parse import urlsplit

import pytest

from kamiyo_verify.evidence.on_report import VERIFICATION
from kamiyo_verify.evidence.recorder import Recorder
from kamiyo_verify.hooks.checklist import check_of
from kamiyo_verify.hooks.evidence import READING
from kamiyo_verify.hooks.network import Network
from kamiyo_verify.hooks.options import verification_roots
from kamiyo_verify.hooks.outcome import Outcome, failure_seen, outcome_of, raised_by_check
from kamiyo_verify.hooks.reruns import OUTCOME
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.model.words import Status
from kamiyo_verify.reporting.exports.junit import ITEM

_SKIPPED = {Status.UNVERIFIED, Status.NOT_APPLICABLE}


class EvidencePlugin:
    """Adds outcome and evidence to pytest's reports of checks, in the process that runs them."""

    def __init__(self, run: Run, recorder: Recorder) -> None:
        self._run = run
        self._recorder = recorder

    @cached_property
    def _network(self) -> Network:
        return Network(self._run.environment)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        """Start an attempt with an empty recorder."""
        self._recorder.begin()
        item.stash[OUTCOME] = None
        check = check_of(item)
        named = (ITEM, check.item.id) if check and self._run.configured.exports.junit_properties else None
        if named is not None and named not in item.user_properties:
            item.user_properties.append(named)
        return (yield)

    # Innermost, so that all other plugins receive the final report.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Replace the report's outcome and message with ours, and attach the evidence."""
        check = check_of(item)
        if check is None:
            return (yield)
        if call.excinfo is None or self._wants_traceback(item.config):
            report = yield
        else:
            with _shorten_traceback(call, call.excinfo):
                report = yield
        if call.excinfo is None:
            passed = report.when == "call" and report.passed
            outcome = Outcome(Status.PASSED) if passed else None
        else:
            error = item.stash.get(READING, _as_it_is)(call.excinfo.value)
            clause = self._run.runbook.policy.rollback_clause(check.item.impact)
            at_once = clause is not None and clause.proof == "content"
            of_check = call.when == "call" and raised_by_check(
                call.excinfo.tb, verification_roots(item.config)
            )
            outcome = outcome_of(error, self._network, proven_at_once=at_once, of_check=of_check)
            if outcome.repeatable and self._is_down():
                outcome = replace(outcome, repeatable=False)
            self._tell(item, report, outcome)
        if outcome is not None and outcome.status is not Status.PASSED:
            item.stash[OUTCOME] = outcome
        news = self._recorder.attempt.news()
        if outcome is None and not any(news.values()):
            return report  # A successful setup or teardown adds no evidence.
        attribution = outcome.attribution if outcome else None
        failure = failure_seen(outcome, self._recorder.attempt.last_exchange) if outcome else None
        refusal = outcome.refusal if outcome else None
        found = {
            "item": check.item.id,
            "status": outcome.status.value if outcome else None,
            "message": outcome.message if outcome else "",
            "attribution": attribution.value if attribution else None,
            "failure": failure.value if failure else None,
            "refusal": asdict(refusal) if refusal else None,
            **news,
        }
        setattr(report, VERIFICATION, found)
        return report

    def _is_down(self) -> bool:
        """Return whether the last requested service is down; then a recheck follows, not a rerun."""
        sent = self._recorder.attempt.exchanges
        parts = urlsplit(sent[-1].url if sent else "")
        return self._run.hangs.down(f"{parts.scheme}://{parts.netloc}")

    def _tell(self, item: pytest.Item, report: pytest.TestReport, outcome: Outcome) -> None:
        if outcome.status in _SKIPPED:
            path, line, _ = item.location
            report.outcome = "skipped"
            report.longrepr = (path, (line or 0) + 1, outcome.message)
            return
        report.outcome = "failed"
        text = "\n".join([outcome.message, *self._recorder.attempt.lines()])
        if self._wants_traceback(item.config):
            text = f"{text}\n\n{report.longrepr}"
        report.longrepr = text

    @staticmethod
    def _wants_traceback(config: pytest.Config) -> bool:
        """Return whether --tb, --showlocals or --full-trace requests a traceback."""
        option = config.option  # without pytest's terminal plugin there are no such options
        style = getattr(option, "tbstyle", "auto")
        return style not in {"auto", "no"} or any(
            getattr(option, name, False) for name in ("showlocals", "fulltrace")
        )


@contextmanager
def _shorten_traceback(
    call: pytest.CallInfo[None], excinfo: pytest.ExceptionInfo[BaseException]
) -> Iterator[None]:
    """Prevent pytest from rendering a traceback: the first one takes as long as twenty checks."""
    if not isinstance(excinfo.value, pytest.skip.Exception):
        plain = pytest.fail.Exception(pytrace=False).with_traceback(excinfo.tb)
        call.excinfo = pytest.ExceptionInfo.from_exception(plain)
    try:
        yield
    finally:
        call.excinfo = excinfo


def _as_it_is(error: BaseException) -> BaseException:
    return error
