"""The verdict and all report texts made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history.chart_data import picture
from kamiyo_verify.model.history.chart_data import ChartData, Part
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.reporting import html
from kamiyo_verify.reporting.embedded_screenshots import embedded
from kamiyo_verify.reporting.json import verdict_json
from kamiyo_verify.reporting.markdown import deployment_md

FILES: dict[str, Callable[[Verdict], str]] = {"verdict.json": verdict_json, "deployment.md": deployment_md}
"""Files made from the verdict alone; evidence.jsonl exists already, and pytest plugins write the others."""


@dataclass
class Report:
    """A report.

    Attributes:
        texts: the contents of `FILES`, by file name.
        fragments: the HTML above pytest-html's own table.
        title: the title of the HTML page.
    """

    verdict: Verdict
    texts: dict[str, str] = field(default_factory=dict)
    fragments: tuple[str, ...] = ()
    title: str = ""

    @classmethod
    def of(cls, verdict: Verdict, evidence: Evidence | None, folder: Path) -> Self:
        """Build all texts.

        Args:
            verdict: the verdict of a run.
            evidence: the evidence behind it; without evidence there are no charts.
            folder: the folder with the screenshots.
        """
        texts = {name: write(verdict) for name, write in FILES.items()}
        shots = embedded(folder, (shot.file for item in verdict.items for shot in item.screenshots))
        return cls(verdict, texts, _fragments(verdict, evidence, shots), html.title(verdict))


def _fragments(verdict: Verdict, evidence: Evidence | None, shots: dict[str, str]) -> tuple[str, ...]:
    try:
        return html.fragments(verdict, picture(evidence, verdict) if evidence else ChartData(), shots)
    except Exception as error:  # noqa: BLE001 - a failing chart must not prevent the verdict's report
        why = f"it could not be drawn: {type(error).__name__}: {error}"
        return html.fragments(verdict, ChartData(unknown=dict.fromkeys(Part, why)), shots)
