"""The verdict, and every text that is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from plugins.embedded import embedded
from plugins.judge.evidence import Evidence
from plugins.judge.picture import picture
from plugins.model.picture import Part, Picture
from plugins.model.verdict import Verdict
from plugins.writers import html
from plugins.writers.json import verdict_json
from plugins.writers.markdown import deployment_md

FILES: dict[str, Callable[[Verdict], str]] = {"verdict.json": verdict_json, "deployment.md": deployment_md}
"""What is made of the verdict alone; evidence.jsonl is there already, and pytest's plugins write the rest."""


@dataclass
class Report:
    """A report.

    Attributes:
        texts: of `FILES`.
        fragments: what stands above pytest-html's own table.
        title: of its page.
    """

    verdict: Verdict
    texts: dict[str, str] = field(default_factory=dict)
    fragments: tuple[str, ...] = ()
    title: str = ""

    @classmethod
    def of(cls, verdict: Verdict, evidence: Evidence | None, folder: Path) -> Self:
        """All texts.

        Args:
            verdict: of a run.
            evidence: that it rests on; without it nothing is drawn.
            folder: that has the screenshots.
        """
        texts = {name: write(verdict) for name, write in FILES.items()}
        shots = embedded(folder, (shot.file for item in verdict.items for shot in item.screenshots))
        return cls(verdict, texts, _fragments(verdict, evidence, shots), html.title(verdict))


def _fragments(verdict: Verdict, evidence: Evidence | None, shots: dict[str, str]) -> tuple[str, ...]:
    try:
        return html.fragments(verdict, picture(evidence, verdict) if evidence else Picture(), shots)
    except Exception as error:  # noqa: BLE001 - a chart that cannot be drawn must not cost the verdict
        why = f"it could not be drawn: {type(error).__name__}: {error}"
        return html.fragments(verdict, Picture(unknown=dict.fromkeys(Part, why)), shots)
