"""Masks what pytest hands on: reports before they leave their process, files after they are written."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from plugins.evidence import VERIFICATION
from plugins.masked_streams import mask_streams
from plugins.masking import Masker
from plugins.report_dir import write_atomically
from plugins.report_page import mended


class MaskingPlugin:
    """Stands at the doors of one process.

    Args:
        masker: knows the credentials.
        files: what is written in the course of the run by plugins that know nothing of secrets.
    """

    def __init__(self, masker: Masker, files: Iterable[Path] = ()) -> None:
        self._masker = masker
        self._files = tuple(files)
        self._streams = mask_streams(masker)

    # Outermost, so that nobody adds anything afterwards.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mask a test's report: its text, captured output, properties and evidence."""
        report = yield
        self._mask(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Mask the report of a module that could not be read."""
        report = yield
        self._mask(report)
        return report

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_metadata(self, metadata: dict[str, Any]) -> None:
        """Mask what pytest-html tells of the machine, such as variables of a CI."""
        metadata.update(self._masker.data(metadata))

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Mask what other plugins have written, and give the streams back."""
        for path in self._files:
            # Whoever wrote it did so through a report that was masked: this finds what came another way.
            with contextlib.suppress(OSError, UnicodeDecodeError):
                text = path.read_text(encoding="utf-8")
                masked = mended(self._masker.values_in(text))
                if masked != text:
                    write_atomically(path, masked)
        for stream in self._streams:
            stream.release()

    def _mask(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        masker = self._masker
        if isinstance(report.longrepr, str | tuple):
            report.longrepr = masker.data(report.longrepr)
        elif report.longrepr is not None:
            text = str(report.longrepr)
            masked = masker.text(text)
            if masked != text:
                report.longrepr = masked
        report.sections = [(masker.text(name), masker.text(content)) for name, content in report.sections]
        for name in ("user_properties", VERIFICATION, "extras"):
            if hasattr(report, name):
                setattr(report, name, masker.data(getattr(report, name)))
