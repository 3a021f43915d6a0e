"""Credentials are known by a keyed hash, and by how their requests were answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamiyo_verify.config.environment import Api, Environment
from kamiyo_verify.ledger.fingerprints import KEY_FILE, credential_uses, fingerprint, fingerprint_key
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.credentials import Accepted, CredentialUse
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.services import ServiceSettings
from kamiyo_verify.model.tables import Credential
from tests.support.evidence_for import HEALTH, LEAK, result
from tests.support.recorded_runs import moment, recorded

SECRET = "km_live_5ecret"
ENVIRONMENT = Environment(
    name="staging",
    api=Api(key=Credential(name="KAMIYO_API_KEY", value=SECRET)),
    services={"api": ServiceSettings(url="https://api.example")},
)


def sent(accepted: bool | None, variable: str = "KAMIYO_API_KEY") -> Exchange:  # noqa: FBT001
    return Exchange("GET", "https://api.example/x", 200, 1.0, credential=variable, accepted=accepted)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    for name in ("reports", "other"):
        (tmp_path / name).mkdir()
    first = fingerprint_key(tmp_path / "reports")
    assert (first, len(first)) == (fingerprint_key(tmp_path / "reports"), 32)
    assert (tmp_path / "reports" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert fingerprint_key(tmp_path / "other") != first


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        fingerprint_key(tmp_path / "away")
    assert list(tmp_path.iterdir()) == []


def test_a_fingerprint_tells_values_apart_and_nothing_of_them() -> None:
    one = fingerprint(b"k", "KAMIYO_API_KEY", SECRET)
    assert one == fingerprint(b"k", "KAMIYO_API_KEY", f"{SECRET}\n")
    assert SECRET not in one
    others = {
        fingerprint(b"k", "KAMIYO_API_KEY", "other"),
        fingerprint(b"k", "ADMIN_API_KEY", SECRET),
        fingerprint(b"l", "KAMIYO_API_KEY", SECRET),
    }
    assert len(others - {one}) == 3


def test_uses_are_counted_by_variable() -> None:
    of = (
        result(HEALTH, exchanges=(sent(True), sent(None), sent(True, "SOMEBODY_ELSES"))),
        result(LEAK, exchanges=(sent(False),)),
    )
    [use] = credential_uses(ENVIRONMENT.secrets.values(), of, b"k")
    assert (use.variable, use.accepted, use.refused) == ("KAMIYO_API_KEY", 1, 1)
    assert use.fingerprint == fingerprint(b"k", "KAMIYO_API_KEY", SECRET)


@pytest.mark.parametrize(
    ("since", "found"),
    [(moment(-60), {"f1": Accepted("3b0cca2", moment(11))}), (moment(12), {})],
)
def test_the_ledger_knows_which_run_accepted_a_credential_last(
    tmp_path: Path, since: str, found: dict[str, Accepted]
) -> None:
    def use(accepted: int, refused: int = 0) -> tuple[CredentialUse, ...]:
        return (CredentialUse("KAMIYO_API_KEY", "f1", accepted, refused),)

    with Store.opened(f"sqlite:///{tmp_path / 'ledger.db'}") as store:
        for minute, commit, uses in (
            (0, "1111111", use(3)),
            (10, "3b0cca2", use(3)),
            (20, "9c41d07", use(2, 1)),
            (30, "9c41d07", use(0, 1)),
        ):
            run = recorded(
                tmp_path / str(minute), run=f"run-{minute}", minute=minute, commit=commit, credentials=uses
            )
            store.add(run)
        assert store.accepted("staging", {"f1", "f2"}, before=moment(60), since=since) == found
        assert store.accepted("prod", {"f1"}, before=moment(60), since=since) == {}
