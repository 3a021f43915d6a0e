"""Requests that are refused as too many: one cause, ours, and no refused credential."""

from __future__ import annotations

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.credentials import CredentialUse, Refusal, RefusalKind
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Action, Attribution, FailureKind
from tests.support.evidence_for import DATA, ERROR, FAILED, HEALTH, LIVE, SIGN_IN, evidence, result

KEY = "KAMIYO_API_KEY"
TOO_MANY = "our requests are refused as too many (429)"


def sent(status: int, *, accepted: bool | None = None, method: str = "GET", path: str = "/x") -> Exchange:
    return Exchange(method, f"https://api.example{path}", status, 5.0, credential=KEY, accepted=accepted)


def limited(item: str, seconds: int) -> Result:
    return result(
        item,
        ERROR,
        f"https://api.example asks to wait {seconds} s, 20 s are left for this check",
        attribution=Attribution.PROBER,
        failure=FailureKind.RATE_LIMITED,
        exchanges=(sent(429),),
    )


def refused(kind: RefusalKind, *exchanges: Exchange) -> Result:
    return result(
        LIVE,
        FAILED,
        f'{KEY} is served as tier "anonymous"',
        failure=FailureKind.CREDENTIAL_REFUSED,
        refusal=Refusal(KEY, kind),
        exchanges=exchanges,
    )


def test_a_tier_that_only_a_429_names_is_no_refused_credential() -> None:
    verdict = decide(
        evidence(
            *(limited(item, 57 + n) for n, item in enumerate((HEALTH, DATA, SIGN_IN))),
            refused(RefusalKind.WRONG_TIER),
            credentials=(CredentialUse(KEY, "f1"),),
        )
    )
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.headline == f"{TOO_MANY}; 3 required items not verified"
    assert [one.title for one in verdict.causes] == [TOO_MANY]
    assert set(verdict.causes[0].items) == {HEALTH, DATA, SIGN_IN, LIVE}
    assert KEY not in verdict.next_step
    assert "rate limit" in verdict.next_step


def test_a_tier_that_an_answer_shows_is_a_refused_credential_beside_a_429() -> None:
    verdict = decide(
        evidence(limited(HEALTH, 57), refused(RefusalKind.WRONG_TIER, sent(200, accepted=False)))
    )
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert f"renew {KEY}; {TOO_MANY}" in verdict.headline


def test_a_key_that_the_service_accepts_elsewhere_is_not_why_a_stream_is_refused() -> None:
    stream = refused(RefusalKind.FORBIDDEN, sent(403, accepted=False, method="WS", path="/ws"))
    verdict = decide(evidence(stream, credentials=(CredentialUse(KEY, "f1", accepted=9, refused=1),)))
    assert verdict.recommendation is Action.FIX_FORWARD
    assert [one.title for one in verdict.causes] == ["WS /ws answers 403"]
    assert "so it is not the credential" in verdict.reasons[0].message
