"""Before a deployment after which no earlier build is kept, a run says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.hooks.collecting.retention import describe_retention
from kamiyo_verify.model.words import Phase


@pytest.mark.parametrize(
    ("kept", "phase", "warned"),
    [
        (1, Phase.PREFLIGHT, True),
        (1, Phase.POSTDEPLOY, False),
        (2, Phase.PREFLIGHT, False),
        (0, Phase.PREFLIGHT, False),
    ],
)
def test_a_deployment_without_a_way_back_is_warned_of(
    tmp_path: Path, kept: int, phase: Phase, *, warned: bool
) -> None:
    (tmp_path / "prod.toml").write_text(
        '[services.api]\nurl = "https://a.example"\nhosting_id = "srv-1"\n'
        f'[render]\nowner = "tea-1"\nbuilds_kept = {kept}\n'
    )
    environment = load_environment("prod", tmp_path, overrides={}, variables={}, dotenv=None)
    said = describe_retention(environment, {phase})
    assert ("no earlier build to roll back to" in said) is warned
