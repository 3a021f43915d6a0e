"""Slow SQL statements, from the API's admin report or else from PostgreSQL itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from kamiyo_platform.api import ApiClient
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.credentials import refused_by_status
from kamiyo_verify.integrations.postgres.client import DatabaseClient, SlowQuery
from kamiyo_verify.integrations.postgres.statements import without_literals
from kamiyo_verify.model.credentials import Refusal
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified, WrongAnswer

__all__ = ["SlowQueries", "SlowQuery"]

# The report has no agreed format; these names are common in such reports, pg_stat_statements' own first.
_LISTS = ("slow_queries", "queries", "statements", "data", "results")
_MEANS = ("mean_exec_time", "mean_ms", "mean_time", "avg_ms", "avg_time_ms", "avg_time", "duration_ms")
_MAXIMA = ("max_exec_time", "max_ms", "max_time", "max_time_ms")


class SlowQueries:
    """Reads the admin report if there is a key for it; PostgreSQL without a key or without a report.

    Args:
        environment: the limit, the path of the report and the credentials.
        api: requests the report.
        database: queries PostgreSQL.
    """

    def __init__(self, environment: Environment, api: ApiClient, database: DatabaseClient) -> None:
        self._environment = environment
        self._api = api
        self._database = database

    def over_limit(self) -> tuple[SlowQuery, ...]:
        """The statements whose mean is over the environment's limit, the slowest first.

        Raises:
            Unverified: neither the admin key nor the database's URL is set, or the API has no such report.
            NoAnswer: no usable answer came, or the admin key is refused.
        """
        limit = self._environment.database.slow_query_ms
        admin_key, url = self._environment.api.admin_key, self._environment.database.url
        if admin_key.present:
            answer = self._api.get_as_admin(self._environment.api.slow_queries_path).usable()
            if answer.status != 404:
                found = [query for query in self._queries_in(answer) if query.mean_ms > limit]
                return tuple(sorted(found, key=lambda query: query.mean_ms, reverse=True))
        if url.present:
            return self._database.slow_queries(limit)
        if admin_key.present:
            raise Unverified(f"the API has no slow-query report (404), and {url.name} is not set")
        raise Unverified(f"neither {admin_key.name} nor {url.name} is set")

    def _queries_in(self, answer: Answer) -> Iterable[SlowQuery]:
        name = self._environment.api.admin_key.name
        if kind := refused_by_status(answer):
            message = f"{name} is refused: {answer.mismatch('200')}"
            raise NoAnswer(NoAnswerKind.CREDENTIAL, message, refusal=Refusal(name, kind))
        if answer.status != 200:
            raise NoAnswer(NoAnswerKind.UNUSABLE, answer.mismatch("200"))
        try:
            report = answer.json()
        except WrongAnswer as problem:
            raise NoAnswer(NoAnswerKind.UNUSABLE, str(problem)) from None
        rows: Any = report
        if isinstance(report, Mapping):
            rows = next((report[key] for key in _LISTS if key in report), None)
        if not isinstance(rows, list):
            raise NoAnswer(NoAnswerKind.UNUSABLE, answer.mismatch("a list of slow queries"))
        return [self._query(row, answer) for row in rows]

    @staticmethod
    def _query(row: Any, answer: Answer) -> SlowQuery:
        fields = row if isinstance(row, Mapping) else {}
        mean = _number(fields, _MEANS)
        if mean is None:
            raise NoAnswer(
                NoAnswerKind.UNUSABLE, answer.mismatch(f"queries with one of {', '.join(_MEANS[:3])}")
            )
        calls = fields.get("calls")
        return SlowQuery(
            text=without_literals(str(fields.get("query", ""))),
            calls=calls if isinstance(calls, int) else 0,
            mean_ms=mean,
            max_ms=_number(fields, _MAXIMA) or mean,
            source=answer.path,
        )


def _number(fields: Mapping[str, Any], names: Iterable[str]) -> float | None:
    found = next((fields[name] for name in names if name in fields), None)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)
