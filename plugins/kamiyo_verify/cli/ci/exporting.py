"""Export the call of a round, where none of its runs has exported the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kamiyo_verify.cli.exporting import export_call, is_call_sent
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.evidence.recording import masked
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.judge.whole import verdict_of_round
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.history.round import Round


def round_exported(
    found: Round, root: Path, words: Sequence[str], variables: Mapping[str, str]
) -> Iterator[str]:
    """Send the call of a round to other systems; yield a line for each that did not take it.

    Each run has sent its own verdict, and the last one stands there. It is the call of the round only if no
    other phase called for something worse, and no run was cut short.

    Args:
        found: the round, which is over.
        root: the project's folder.
        words: pytest's arguments of its runs.
        variables: the environment variables of the process.
    """
    try:
        environment = load_environment(
            found.environment, root / "environments", overrides={}, variables=variables, dotenv=root / ".env"
        )
    except ConfigurationError:
        return  # each run has said so
    sent = [run for run in found.verdicts if is_call_sent(environment, run.phase, words)]
    if sent and (sent[-1].recommendation, sent[-1].exit_code) == (
        found.recommendation,
        found.recommendation.exit_code,
    ):
        return
    masker = Masker()
    masker.learn(environment)
    verdict = masked(verdict_of_round(found, environment.title, now()), masker)
    yield from (masker.text(line) for line in export_call(environment, verdict, words))
