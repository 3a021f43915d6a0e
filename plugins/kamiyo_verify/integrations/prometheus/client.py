"""Read the platform's metrics in Prometheus' text format, with Prometheus' own parser."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from kamiyo_verify.http.client import Answer, HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer

_MOST_SAMPLES = 50_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, with its labels."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """All samples with a common name, such as all buckets of a histogram.

    Attributes:
        type: "counter", "gauge", "histogram", "summary", "untyped" …
    """

    name: str
    type: str
    documentation: str
    samples: tuple[Sample, ...]


class Prometheus:
    """The metrics endpoint of the API.

    Args:
        path: of the metrics.
        url: of the API.
        context: shared with other clients.
    """

    def __init__(self, path: str, context: ClientContext, *, url: str) -> None:
        self._path = path
        self._http = HttpClient(url, context, headers={"Accept": "text/plain;version=0.0.4"})

    def families(self) -> dict[str, Family]:
        """All metrics by the names of their families.

        Raises:
            NoAnswer: no usable answer came, or it is too large (1 MiB, 50,000 samples).
            WrongAnswer: the status is not 200, or it is not in Prometheus' text format.
        """
        answer = self._http.get(self._path).usable()
        if answer.status != 200:
            raise WrongAnswer(answer.mismatch("200 with metrics"))
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
        # The parser assumes well-formed lines, and raises these for others.
        except (ValueError, IndexError, KeyError, TypeError, AttributeError) as problem:
            why = readable(str(problem), longest=120)
            message = f"{answer.mismatch('Prometheus text')} (the parser says: {why})"
            raise WrongAnswer(message) from None
        if not samples:
            raise WrongAnswer(answer.mismatch("at least one metric"))
        return found

    def _too_much(self, what: str) -> None:
        message = f"{self._http.origin}{self._path} holds more than {what}, which is all that is read"
        raise NoAnswer(NoAnswerKind.UNUSABLE, message, self._http.origin)
