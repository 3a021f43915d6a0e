"""The persistent deployment log: a table of all rounds, newest first, and a page for each round."""

from __future__ import annotations

from collections.abc import Sequence

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.round import Round
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.markdown import NOT_MEASURED, deployment_md
from kamiyo_verify.reporting.markup import plain

TITLE = "# Deployment log\n\n"
HEADER = (
    "| date | environment | commit | phases | call | duration | downtime | deployer |\n"
    "| --- | --- | --- | --- | --- | ---: | ---: | --- |\n"
)


def row(found: Round, entry: str) -> str:
    """Format the table row of a round, with a line feed at its end.

    Args:
        found: the round.
        entry: the path of its page, relative to the table; not escaped.
    """
    cells = (
        words.moment(min((verdict.started_at for verdict in found.verdicts), default="")) or NOT_MEASURED,
        found.environment or "–",
        found.commit[:12] or "–",
        ", ".join(turn.phase.replace("+", ", ") for turn in found.turns) or "–",
    )
    call = f"[{words.CALLS[found.recommendation]}](<{entry}>)"
    last = (
        _seconds([verdict.deployment.seen.duration_s for verdict in found.verdicts]),
        _seconds([verdict.deployment.seen.downtime_s for verdict in found.verdicts]),
        next((who for verdict in found.verdicts if (who := verdict.deployment.seen.deployer)), "–"),
    )
    return f"| {' | '.join([*map(plain, cells), call, *map(plain, last)])} |\n"


def with_row(table: str, line: str) -> str:
    """Insert the row as the first one; return the table unchanged if it already contains the row."""
    if line in table:
        return table
    before, header, rest = table.partition(HEADER)
    if not header:
        return TITLE + HEADER + line + ("\n" + table if table.strip() else "")
    return before + header + line + rest


def page(found: Round, attached: Sequence[str]) -> str:
    """Format the page of a round: the log entry of each run, and the attachments.

    Args:
        found: the round.
        attached: the names of files in the page's folder.
    """
    parts = [deployment_md(verdict) for verdict in found.verdicts]
    parts += [f"{plain(turn.phase)}: {plain(turn.why)}\n" for turn in found.turns if turn.why]
    if found.why:
        parts.append(f"{plain(found.why)}\n")
    if attached:
        names = "".join(f"- [{plain(name)}](<{name}>)\n" for name in attached)
        parts.append(f"## Attached\n\n{names}")
    return "\n".join(parts)


def _seconds(known: Sequence[float | None]) -> str:
    return next((duration(one) for one in known if one is not None), "–")
