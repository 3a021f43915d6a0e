"""The platform's own metrics in Prometheus' text format, read by Prometheus' own parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from prometheus_client.parser import text_string_to_metric_families

from plugins.clients.http import Answer, HttpClient
from plugins.clients.manner import Manner
from plugins.clients.readable import readable
from plugins.model.environment import Api
from plugins.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer

_MOST_SAMPLES = 50_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, with its labels."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """What shares a name, such as all buckets of a histogram.

    Attributes:
        type: "counter", "gauge", "histogram", "summary", "untyped" …
    """

    name: str
    type: str
    documentation: str
    samples: tuple[Sample, ...]


class Prometheus:
    """The metrics address of the API.

    Args:
        table: the environment's [api].
        manner: how to ask, see `Manner`.
    """

    def __init__(self, table: Api, **manner: Unpack[Manner]) -> None:
        self._path = table.metrics_path
        self._http = HttpClient(
            table.url,
            headers={"Accept": "text/plain;version=0.0.4"},
            **manner,
        )

    def families(self) -> dict[str, Family]:
        """All metrics by the names of their families.

        Raises:
            NoAnswer: no usable answer came, or more than can be read (1 MiB, 50,000 samples).
            WrongAnswer: it is not 200, or not in Prometheus' text format.
        """
        answer = self._http.get(self._path).usable()
        if answer.status != 200:
            raise WrongAnswer(answer.told("200 with metrics"))
        if answer.truncated:
            self._too_much("1 MiB")
        return self._read(answer)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _read(self, answer: Answer) -> dict[str, Family]:
        found: dict[str, Family] = {}
        samples = 0
        try:
            for family in text_string_to_metric_families(answer.text):
                samples += len(family.samples)
                if samples > _MOST_SAMPLES:
                    self._too_much(f"{_MOST_SAMPLES:,} samples")
                found[family.name] = Family(
                    family.name,
                    family.type,
                    family.documentation,
                    tuple(Sample(one.name, dict(one.labels), one.value) for one in family.samples),
                )
        # The parser takes a well-formed line for granted, and meets others with these.
        except (ValueError, IndexError, KeyError, TypeError, AttributeError) as problem:
            why = readable(str(problem), longest=120)
            message = f"{answer.told('Prometheus text')} (the parser says: {why})"
            raise WrongAnswer(message) from None
        if not samples:
            raise WrongAnswer(answer.told("at least one metric"))
        return found

    def _too_much(self, what: str) -> None:
        message = f"{self._http.origin}{self._path} holds more than {what}, which is all that is read"
        raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._http.origin)
