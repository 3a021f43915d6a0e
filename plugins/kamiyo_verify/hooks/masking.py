"""Mask secrets in pytest's output: reports before they leave the process, log records when written.

This module also escapes control characters, so that no response can control the reader's terminal.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.evidence.on_report import VERIFICATION
from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.masking.streams import mask_streams
from kamiyo_verify.model.writing.text import visible
from kamiyo_verify.reporting.html_page import mended


class MaskingPlugin:
    """Masks everything that leaves one process through pytest.

    Args:
        masker: knows the credentials.
        files: files that other plugins write without masking.
        config: this pytest's configuration.
    """

    def __init__(self, masker: Masker, files: Iterable[Path] = (), *, config: pytest.Config) -> None:
        self._masker = masker
        self._files = tuple(files)
        self._written: dict[Path, tuple[int, str]] = {}
        self._config = config
        self._streams = mask_streams(masker)
        self._mask_log_file()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Mask the log file again, because its plugin may have been registered after this one."""
        self._mask_log_file()

    # Outermost, so that no other plugin adds text afterwards.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mask a test's report: its text, captured output, properties and evidence."""
        report = yield
        self._mask(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Mask the report of a collected module, such as an import error."""
        report = yield
        self._mask(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Mask a warning before a worker sends it; xdist cannot send text that is not valid UTF-8."""
        warning = warning_message.message
        if isinstance(warning, Warning):
            warning.args = tuple(self._shown(arg) if isinstance(arg, str) else arg for arg in warning.args)
        text = str(warning)
        if (shown := self._shown(text)) != text:
            warning_message.message = UserWarning(shown)

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_metadata(self, metadata: dict[str, Any]) -> None:
        """Mask what pytest-html reports about the machine, such as CI variables."""
        metadata.update(self._masker.data(metadata))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None]:
        """Mask the files of other plugins right after they are written."""
        try:
            return (yield)
        finally:
            self._mask_files()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Mask what other plugins have written since, and restore the streams."""
        self._mask_files()
        for stream in self._streams:
            stream.release()

    def _mask_log_file(self) -> None:
        """Mask every record before it is written to `--log-file`, not only at the end of the run."""
        plugin = self._config.pluginmanager.getplugin("logging-plugin")
        handler = getattr(plugin, "log_file_handler", None)
        if isinstance(handler, logging.Handler) and not isinstance(handler.formatter, _MaskingFormatter):
            handler.setFormatter(_MaskingFormatter(handler.formatter or logging.Formatter(), self._masker))

    def _mask_files(self) -> None:
        for path in self._files:
            # The reports in it are already masked: this masks text from other sources.
            with contextlib.suppress(OSError, UnicodeDecodeError):
                text = path.read_text(encoding="utf-8")
                if self._written.get(path) == (self._masker.known, text):
                    continue
                masked = mended(self._masker.values_in(text))
                masked = visible(masked) if path.suffix == ".xml" else masked
                if masked != text:
                    write_atomically(path, masked)
                self._written[path] = (self._masker.known, masked)

    def _mask(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        masker = self._masker
        if isinstance(report.longrepr, str):
            report.longrepr = self._shown(report.longrepr)
        elif isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (self._shown(path), line, self._shown(reason))
        elif report.longrepr is not None:
            text = str(report.longrepr)
            shown = self._shown(text)
            if shown != text:
                report.longrepr = shown
        report.sections = [(self._shown(name), self._shown(content)) for name, content in report.sections]
        for name in ("user_properties", VERIFICATION, "extras"):
            if hasattr(report, name):
                setattr(report, name, masker.data(getattr(report, name)))
        if isinstance(report, pytest.TestReport):
            report.user_properties = [
                (name, visible(value) if isinstance(value, str) else value)
                for name, value in report.user_properties
            ]

    def _shown(self, text: str) -> str:
        """Return the text with secrets masked and control characters escaped."""
        return visible(self._masker.text(text).replace("\r\n", "\n"))


class _MaskingFormatter(logging.Formatter):
    """Wraps another formatter and masks secrets."""

    def __init__(self, inner: logging.Formatter, masker: Masker) -> None:
        super().__init__()
        self._inner = inner
        self._masker = masker

    def format(self, record: logging.LogRecord) -> str:
        """Return the masked line of a record."""
        return visible(self._masker.text(self._inner.format(record)))
