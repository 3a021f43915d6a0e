"""Stories: what was seen, and the call that a careful release engineer would make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.worst import WORST_FIRST
from kamiyo_verify.model.circumstances import Before, FailedBefore, SupplierReport
from kamiyo_verify.model.confirmation import Confirmation, FailingShare, Recheck
from kamiyo_verify.model.credentials import Accepted, CredentialUse, Refusal, RefusalKind
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Impact, Phase, Status, Supplier
from tests.support.evidence_for import (
    COMMIT,
    DATA,
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    LEAK,
    LIVE,
    LOOKS,
    PASSED,
    RUNBOOK,
    SECRETS,
    SIGN_IN,
    UNVERIFIED,
    WEBHOOK,
    at,
    evidence,
    measured,
    result,
)

PROCEED, HOLD, FIX = Action.PROCEED, Action.HOLD, Action.FIX_FORWARD
BACK, OPEN = Action.ROLL_BACK, Action.INCONCLUSIVE
NEW, OLD = "9c41d07" + "0" * 33, "3b0cca2" + "0" * 33
API, SITE = "https://api.example", "https://site.example"
ROLLBACK_ITEMS = (HEALTH, DATA, SIGN_IN, WEBHOOK, LEAK)
K, R = FailureKind, RefusalKind


def sent(
    status: int | None, path: str = "/x", origin: str = API, variable: str = "", method: str = "GET"
) -> Exchange:
    accepted = None if not variable or status is None else status < 400
    problem = "" if status else "refuses the connection"
    return Exchange(
        method, f"{origin}{path}", status, 5.0, problem=problem, credential=variable, accepted=accepted
    )


def failed(item: str, kind: FailureKind = K.WRONG_CONTENT, *exchanges: Exchange, **more: Any) -> Result:
    tries = tuple(Attempt(FAILED, "no", f"2026-11-23T14:10:0{n}+00:00", 0.2) for n in range(3))
    return result(item, FAILED, failure=kind, exchanges=exchanges, **{"attempts": tries, **more})


def refused(item: str, variable: str, kind: RefusalKind, **more: object) -> Result:
    refusal = Refusal(variable, kind, **more)  # type: ignore[arg-type]
    return failed(item, K.CREDENTIAL_REFUSED, sent(401, variable=variable), refusal=refusal)


def use(
    variable: str, *, accepted: int = 0, commit: str = "", at: str = "2026-11-23T13:00:00+00:00"
) -> CredentialUse:
    before = Accepted(commit, at) if commit else None
    return CredentialUse(variable, "f1", accepted=accepted, refused=3, accepted_before=before)


def before(_age_h: float = 1.0, **statuses: Status) -> Before:
    items = {
        "health": HEALTH,
        "data": DATA,
        "sign_in": SIGN_IN,
        "webhook": WEBHOOK,
        "leak": LEAK,
        "live": LIVE,
    }
    return Before(
        run="r1",
        baseline=True,
        commit=OLD,
        finished_at="2026-11-23T13:00:00+00:00",
        age_s=_age_h * 3600,
        statuses={items[name]: status for name, status in statuses.items()},
    )


def looks(*statuses: Status, step: int = 20, silent: bool = False) -> Confirmation:
    seen = tuple(Recheck(at(60 + n * step), one) for n, one in enumerate(statuses))
    return Confirmation(at(0), seen, silent=silent)


def well_again(*first: Status, silent: bool = False) -> Confirmation:
    """As many passing looks as it takes to say that what was wrong has ended."""
    return looks(*first, *[PASSED] * 8, step=7, silent=silent)


def share(pattern: str, *, silent: bool = False) -> Confirmation:
    """A follow-up sample, one request a second: "x" failed, "." passed; eight looks met the same."""
    bad = tuple(char == "x" for char in pattern)
    seen = FailingShare("GET /x", at(5), tuple(map(float, range(len(bad)))), bad)
    places = [(len(bad) - 1) * n // 7 for n in range(8)]
    again = tuple(Recheck(at(5 + place), FAILED if bad[place] else PASSED) for place in places)
    return Confirmation(at(0), again, seen, silent=silent)


def away(service: str, seconds: int, until: int = 60) -> ServiceTimeline:
    """Asked once a second; without an answer for so many seconds after it was first seen to fail."""
    times = range(-2, until)
    failures = tuple("no answer" if 0 <= time < seconds else "" for time in times)
    return ServiceTimeline(
        service, at(-2), tuple(float(time + 2) for time in times), (0.1,) * len(times), failures
    )


def spread(bad: int, total: int) -> str:
    """So many failures, evenly spread and up to the end."""
    return "".join("x" if (n + 1) * bad // total > n * bad // total else "." for n in range(total))


def flaky(item: str, confirmation: Confirmation | None = None) -> Result:
    tries = (Attempt(FAILED, "500", "2026-11-23T14:10:00+00:00", 0.2), Attempt(PASSED, "", "", 0.2))
    return result(item, attempts=tries, confirmation=confirmation)


def well(item: str, *exchanges: Exchange) -> Result:
    return result(item, exchanges=exchanges)


CREDENTIALS = (
    (HEALTH, "KAMIYO_API_KEY", R.UNAUTHORIZED),
    (DATA, "KAMIYO_API_KEY", R.UNAUTHORIZED),
    (LIVE, "KAMIYO_API_KEY", R.WRONG_TIER),
    (LIVE, "KAMIYO_API_KEY", R.FORBIDDEN),
    (LEAK, "ADMIN_API_KEY", R.UNAUTHORIZED),
    (SIGN_IN, "TEST_SESSION_TOKEN", R.UNKNOWN_SESSION),
    (SIGN_IN, "TEST_PASSWORD", R.PASSWORD),
    (SIGN_IN, "TEST_PASSWORD", R.LOCKED_OUT),
    (SIGN_IN, "NEXTAUTH_SECRET", R.SECRET),
    (WEBHOOK, "STRIPE_WEBHOOK_SECRET", R.SIGNATURE),
)
TOKENS = (
    "DATABASE_URL",
    "RENDER_API_KEY",
    "SENTRY_TOKEN",
    "STRIPE_API_KEY",
    "GITHUB_TOKEN",
    "STATUSPAGE_KEY",
    "PAGERDUTY_TOKEN",
)


def tokens(name: str) -> Result:
    return result(
        LIVE,
        ERROR,
        f"{name} is not accepted",
        attribution=Attribution.PROBER,
        failure=K.CREDENTIAL_REFUSED,
        refusal=Refusal(name, R.UNAUTHORIZED),
    )


Story = tuple[str, Evidence, Action]

ONE: list[Story] = [
    *(
        (f"1: {name} refused for {item}: {kind}", evidence(refused(item, name, kind)), OPEN)
        for item, name, kind in CREDENTIALS
    ),
    *((f"1: {name} refused by its system", evidence(tokens(name)), OPEN) for name in TOKENS),
    *(
        (
            f"1: {name} for {item} ({kind}) accepted by an earlier commit",
            evidence(refused(item, name, kind), commit=NEW, credentials=(use(name, commit=OLD),)),
            BACK,
        )
        for item, name, kind in CREDENTIALS
        if item != LIVE and kind is not R.LOCKED_OUT
    ),
    (
        "1: accepted by this very commit an hour ago",
        evidence(refused(HEALTH, "KEY", R.UNAUTHORIZED), commit=NEW, credentials=(use("KEY", commit=NEW),)),
        OPEN,
    ),
    (
        "1: accepted by an earlier commit two days ago",
        evidence(
            refused(HEALTH, "KEY", R.UNAUTHORIZED),
            commit=NEW,
            credentials=(use("KEY", commit=OLD, at="2026-11-21T13:00:00+00:00"),),
        ),
        OPEN,
    ),
    (
        "1: accepted before, by a commit that nobody knows",
        evidence(refused(HEALTH, "KEY", R.UNAUTHORIZED), credentials=(use("KEY", commit=OLD),)),
        OPEN,
    ),
    (
        "1: refused, and anonymous callers get 500 as well",
        evidence(refused(HEALTH, "KEY", R.UNAUTHORIZED, independent="anonymous: 500", fails_alike=True)),
        BACK,
    ),
    (
        "1: refused, and anonymous callers are served",
        evidence(refused(HEALTH, "KEY", R.UNAUTHORIZED, independent="anonymous: 200")),
        OPEN,
    ),
    (
        "1: refused by one item, accepted by others of the run",
        evidence(refused(HEALTH, "KEY", R.FORBIDDEN), credentials=(use("KEY", accepted=9),)),
        BACK,
    ),
    (
        "1: the live stream refuses a key that the API accepts",
        evidence(refused(LIVE, "KEY", R.FORBIDDEN), credentials=(use("KEY", accepted=9),)),
        FIX,
    ),
    (
        "1: every keyed item meets the revoked key",
        evidence(*(refused(item, "KEY", R.UNAUTHORIZED) for item in (HEALTH, DATA, LEAK))),
        OPEN,
    ),
    (
        "1: all requests of the sampling were refused",
        evidence(
            replace(measured(ERRORS, errors=80, requests=80), exchanges=(sent(401, variable="KEY"),)),
            credentials=(use("KEY"),),
        ),
        OPEN,
    ),
    (
        "1: session unknown, and a fresh sign-in works",
        evidence(
            refused(SIGN_IN, "SESSION", R.UNKNOWN_SESSION),
            well(LIVE, sent(200, "/callback", SITE, "TEST_PASSWORD", "POST")),
            commit=NEW,
            credentials=(use("SESSION", commit=OLD),),
            runbook=RUNBOOK.model_copy(
                update={
                    "items": tuple(
                        item.model_copy(update={"impact": Impact.AUTH}) if item.id == LIVE else item
                        for item in RUNBOOK.items
                    )
                }
            ),
        ),
        OPEN,
    ),
    (
        "1: a stale key and a hole besides",
        evidence(refused(HEALTH, "KEY", R.UNAUTHORIZED), failed(LEAK, K.WRONG_CONTENT, sent(200))),
        BACK,
    ),
    (
        "1: stale keys and a lesser failure",
        evidence(refused(HEALTH, "KEY", R.UNAUTHORIZED), failed(LOOKS)),
        OPEN,
    ),
    (
        "1: nothing answers and no control does",
        evidence(
            result(
                HEALTH, ERROR, failure=K.NO_ANSWER, attribution=Attribution.UNKNOWN, exchanges=(sent(None),)
            )
        ),
        OPEN,
    ),
    (
        "3: silent, and the same origin answered others",
        evidence(
            result(
                HEALTH, ERROR, failure=K.NO_ANSWER, attribution=Attribution.UNKNOWN, exchanges=(sent(None),)
            ),
            well(LEAK, sent(404, "/no")),
        ),
        BACK,
    ),
    (
        "3: silent, and only another origin answered",
        evidence(
            result(
                HEALTH, ERROR, failure=K.NO_ANSWER, attribution=Attribution.UNKNOWN, exchanges=(sent(None),)
            ),
            well(SIGN_IN, sent(200, "/", SITE)),
        ),
        OPEN,
    ),
    ("1: the clock of this machine is off", evidence(failed(WEBHOOK), clock_ahead_s=900.0), OPEN),
]


def copy(status: int, path: str = "/x", stored_s: float | None = -7200, **more: Any) -> Exchange:
    """An answer of a cache; the run begins two seconds before 0, the default copy is two hours old."""
    stored_at = "" if stored_s is None else at(stored_s)
    return replace(sent(status, path), cached="Age: 7200, X-Cache: HIT", stored_at=stored_at, **more)


def in_place(status: int = 200, **what: str) -> list[Result]:
    """Three items that fail by the same answer for any path."""
    kind = K.WRONG_FORMAT if status < 500 else K.SERVER_ERROR
    return [
        failed(item, kind, replace(sent(status, path), **what), confirmation=looks(FAILED, FAILED))  # type: ignore[arg-type]
        for item, path in ((HEALTH, "/health"), (DATA, "/rows"), (SIGN_IN, "/sign-in"))
    ]


SHOWN = (Measurement("title", "Shop"),)

INSTEAD: list[Story] = [
    (
        "1: a copy of before the release lists no rows",
        evidence(failed(DATA, K.WRONG_CONTENT, copy(200))),
        OPEN,
    ),
    (
        "1: a 404 that was stored before the release",
        evidence(failed(HEALTH, K.WRONG_STATUS, copy(404))),
        OPEN,
    ),
    (
        "1: a copy of before the release lets strangers in",
        evidence(failed(LEAK, K.WRONG_CONTENT, copy(200), confirmation=looks(FAILED))),
        OPEN,
    ),
    (
        "1: a copy of nobody knows when",
        evidence(failed(HEALTH, K.WRONG_STATUS, copy(404, stored_s=None))),
        OPEN,
    ),
    (
        "1: a copy that was made since the release",
        evidence(failed(HEALTH, K.WRONG_STATUS, copy(404, stored_s=3))),
        BACK,
    ),
    (
        "1: a copy, and the service's own answer fails",
        evidence(failed(HEALTH, K.SERVER_ERROR, copy(200), sent(502))),
        BACK,
    ),
    (
        "1: a copy of one path, and another path fails by itself",
        evidence(failed(HEALTH, K.WRONG_STATUS, copy(200, "/a"), sent(404, "/b"))),
        BACK,
    ),
    ("1: only a cache says that all is well", evidence(result(HEALTH, exchanges=(copy(200),))), OPEN),
    ("1: the service says so too", evidence(result(HEALTH, exchanges=(copy(200), sent(200)))), PROCEED),
    (
        "1: a copy that was made since the release is well",
        evidence(result(HEALTH, exchanges=(copy(200, stored_s=1),))),
        PROCEED,
    ),
    (
        "1: a copy that names the release",
        evidence(
            result(HEALTH, exchanges=(copy(200),), measurements=(Measurement("commit", NEW),)),
            result(COMMIT, measurements=(Measurement("api_commit", NEW),)),
            commit=NEW,
        ),
        PROCEED,
    ),
    (
        "1: a page that need not be verified is a copy, and the service answers others",
        evidence(result(LOOKS, exchanges=(copy(200, "/"),)), result(HEALTH, exchanges=(sent(200),))),
        PROCEED,
    ),
    (
        "1: a page that need not be verified is a copy, and the service answers nothing",
        evidence(result(LOOKS, exchanges=(copy(200, "/"),))),
        OPEN,
    ),
    (
        "1: a copy before the deployment",
        evidence(result(HEALTH, exchanges=(copy(200),)), records_baseline=True),
        PROCEED,
    ),
    (
        "1: a copy counts fewer rows than the baseline",
        evidence(
            replace(measured(DATA, health=42), exchanges=(copy(200),)),
            before=before(data=PASSED),
            baseline={DATA: (Measurement("health", 420),)},
        ),
        OPEN,
    ),
    (
        "1: the service itself counts fewer rows than the baseline",
        evidence(
            replace(measured(DATA, health=42), exchanges=(copy(200), sent(200))),
            before=before(data=PASSED),
            baseline={DATA: (Measurement("health", 420),)},
        ),
        BACK,
    ),
    ("1: one page for any path", evidence(*in_place(page="a1")), OPEN),
    ("1: one page for any path, of maintenance", evidence(*in_place(503, page="a1")), OPEN),
    ("1: the same error for any path", evidence(*in_place(503)), BACK),
    ("1: other pages for other paths", evidence(*in_place(page="a1")[:2], *in_place(page="b2")[2:]), BACK),
    (
        "1: one page for any path, with the title of the application",
        evidence(
            *in_place(page="a1"),
            result(LOOKS, exchanges=(replace(sent(200, "/"), page="a1"),), measurements=SHOWN),
        ),
        BACK,
    ),
    (
        "1: one page for any path, but for one that answers",
        evidence(*in_place(page="a1"), well(LOOKS, sent(200, "/other"))),
        BACK,
    ),
    ("1: one page for two paths", evidence(*in_place(page="a1")[:2]), BACK),
    (
        "1: every path leads to another origin",
        evidence(*in_place(302, leads_to="https://login.example")),
        OPEN,
    ),
    (
        "1: paths lead to two other origins",
        evidence(
            *in_place(302, leads_to="https://a.example")[:2], *in_place(302, leads_to="https://b.example")[2:]
        ),
        BACK,
    ),
]

TWO: list[Story] = [
    *(
        (
            f"2: {item} failed twice more, right before the verdict",
            evidence(failed(item, confirmation=looks(FAILED, FAILED))),
            BACK,
        )
        for item in ROLLBACK_ITEMS
    ),
    *(
        (
            f"2: {item} is well again in every look",
            evidence(failed(item, confirmation=well_again())),
            OPEN if item == LEAK else PROCEED,
        )
        for item in ROLLBACK_ITEMS
    ),
    *(
        (
            f"2: {item} failed in one more look, and is well again",
            evidence(failed(item, confirmation=well_again(FAILED))),
            BACK if item == LEAK else PROCEED,
        )
        for item in ROLLBACK_ITEMS
    ),
    *(
        (
            f"2: {item} is well again in two looks, with nothing that explains it",
            evidence(failed(item, confirmation=looks(FAILED, PASSED, PASSED))),
            BACK if item == LEAK else OPEN,
        )
        for item in ROLLBACK_ITEMS
    ),
    *(
        (
            f"2: {item} met a cold start of 20 s",
            evidence(
                failed(item, K.NO_ANSWER, sent(None), confirmation=looks(PASSED, PASSED, silent=True)),
                timelines=(away("frontend" if item in {SIGN_IN, WEBHOOK} else "api", 20),),
            ),
            PROCEED,
        )
        for item in ROLLBACK_ITEMS
        if item != LEAK
    ),
    (
        "2: a security item met a cold start of 20 s",
        evidence(
            failed(LEAK, K.NO_ANSWER, sent(None), confirmation=looks(PASSED, PASSED, silent=True)),
            timelines=(away("api", 20),),
        ),
        PROCEED,
    ),
    (
        "2: a cold start of the other service explains nothing",
        evidence(
            failed(HEALTH, K.NO_ANSWER, sent(None), confirmation=looks(PASSED, PASSED, silent=True)),
            timelines=(away("frontend", 20),),
        ),
        OPEN,
    ),
    (
        "2: a service that is not back yet",
        evidence(
            failed(HEALTH, K.NO_ANSWER, sent(None), confirmation=looks(FAILED, FAILED, silent=True)),
            timelines=(away("api", 90),),
        ),
        BACK,
    ),
    (
        "2: a rolling restart of both",
        evidence(
            *(
                failed(one, K.SERVER_ERROR, sent(502), confirmation=looks(PASSED, PASSED, silent=True))
                for one in (HEALTH, SIGN_IN)
            ),
            timelines=(away("api", 8), away("frontend", 12)),
        ),
        PROCEED,
    ),
    (
        "2: an outage that breached an objective",
        evidence(
            failed(HEALTH, confirmation=well_again(FAILED)), measured(ERRORS, errors=24, requests=1_200)
        ),
        FIX,
    ),
    (
        "2: one outage ended and one did not",
        evidence(failed(HEALTH, confirmation=well_again()), failed(SIGN_IN, confirmation=looks(FAILED))),
        BACK,
    ),
    (
        "2: no time was left to look again",
        evidence(failed(HEALTH, confirmation=Confirmation(at(0), incomplete="the deadline left no time"))),
        OPEN,
    ),
    (
        "2: the last look could not be measured",
        evidence(failed(HEALTH, confirmation=looks(FAILED, ERROR))),
        OPEN,
    ),
    (
        "2: not confirmed, and another item is broken to the end",
        evidence(
            failed(HEALTH, confirmation=looks(FAILED, ERROR)), failed(SIGN_IN, confirmation=looks(FAILED))
        ),
        BACK,
    ),
    (
        "2: it comes and goes",
        evidence(failed(HEALTH, confirmation=looks(FAILED, PASSED, FAILED, PASSED))),
        BACK,
    ),
    ("2: a hole that closed by itself", evidence(failed(LEAK, confirmation=looks(PASSED))), OPEN),
    ("2: a hole seen twice", evidence(failed(LEAK, confirmation=looks(FAILED, step=2))), BACK),
    (
        "2: a security item that is silent to the end",
        evidence(
            failed(LEAK, K.NO_ANSWER, sent(None), confirmation=looks(FAILED, FAILED, silent=True)),
        ),
        BACK,
    ),
    (
        "2: an ended outage and a lesser failure",
        evidence(failed(HEALTH, confirmation=well_again()), failed(LOOKS)),
        FIX,
    ),
    (
        "2: an ended outage in the sample",
        evidence(failed(HEALTH, confirmation=share("x" * 20 + "." * 70))),
        PROCEED,
    ),
    (
        "2: an outage of which the sample saw the end only",
        evidence(failed(HEALTH, confirmation=share("x" * 20 + "." * 30))),
        OPEN,
    ),
    (
        "2: a second outage that ended",
        evidence(failed(HEALTH, confirmation=share("." * 20 + "x" * 20 + "." * 30))),
        OPEN,
    ),
    (
        "2: an outage that began in the sample and goes on",
        evidence(failed(HEALTH, confirmation=share("." * 20 + "x" * 40))),
        BACK,
    ),
    (
        "2: an outage that began right before the end",
        evidence(failed(HEALTH, confirmation=share("." * 50 + "x" * 10))),
        OPEN,
    ),
]

THREE: list[Story] = [
    ("3: one of two instances is broken", evidence(failed(HEALTH, confirmation=share(spread(20, 40)))), BACK),
    ("3: one of two, and the tries passed", evidence(flaky(HEALTH, share(spread(20, 40)))), BACK),
    ("3: one of three", evidence(flaky(SIGN_IN, share(spread(14, 42)))), BACK),
    ("3: one in ten", evidence(flaky(SIGN_IN, share(spread(20, 200)))), BACK),
    ("3: one in ten, and few were sent", evidence(flaky(SIGN_IN, share(spread(5, 50)))), OPEN),
    ("3: one in a hundred", evidence(flaky(SIGN_IN, share(spread(3, 300)))), FIX),
    ("3: two in a hundred", evidence(failed(SIGN_IN, confirmation=share(spread(10, 500)))), FIX),
    (
        "3: two in a hundred, and few were sent",
        evidence(failed(SIGN_IN, confirmation=share(spread(2, 100)))),
        OPEN,
    ),
    ("3: five in a hundred", evidence(flaky(SIGN_IN, share(spread(5, 100)))), OPEN),
    ("3: one of thirty", evidence(flaky(SIGN_IN, share(spread(1, 30)))), OPEN),
    ("3: one stray 404, none of seventy more", evidence(flaky(HEALTH, share("." * 70))), PROCEED),
    ("3: one stray 404, none of thirty more", evidence(flaky(HEALTH, share("." * 30))), OPEN),
    ("3: flaky, and nobody looked again", evidence(flaky(HEALTH)), PROCEED),
    ("3: half of a lesser feature", evidence(flaky(LIVE, share(spread(20, 40)))), FIX),
    ("3: half of payments", evidence(failed(WEBHOOK, confirmation=share(spread(10, 20)))), BACK),
    (
        "3: every second request to a security item is a 502",
        evidence(flaky(LEAK, share(spread(20, 40), silent=True))),
        BACK,
    ),
    ("3: a third of the further looks", evidence(flaky(WEBHOOK, looks(*[PASSED, FAILED, PASSED] * 3))), BACK),
    (
        "3: one of nine further looks",
        evidence(flaky(WEBHOOK, looks(*[PASSED] * 4, FAILED, *[PASSED] * 4))),
        OPEN,
    ),
    ("3: all of it", evidence(failed(HEALTH, confirmation=share("x" * 20))), BACK),
]

FIVE: list[Story] = [
    *(
        (f"5: {item} meets a 502", evidence(failed(item, K.SERVER_ERROR, sent(502))), BACK)
        for item in ROLLBACK_ITEMS
    ),
    *(
        (f"5: {item} meets a refused connection", evidence(failed(item, K.NO_ANSWER, sent(None))), BACK)
        for item in ROLLBACK_ITEMS
    ),
    *(
        (f"5: {item} meets HTML for JSON", evidence(failed(item, K.WRONG_FORMAT, sent(200))), BACK)
        for item in ROLLBACK_ITEMS
    ),
    ("5: /chains answers 500", evidence(failed(DATA, K.SERVER_ERROR, sent(500, "/chains"))), BACK),
    ("5: /chains answers 404", evidence(failed(DATA, K.WRONG_STATUS, sent(404, "/chains"))), BACK),
    ("5: rows are gone", evidence(failed(DATA, K.WRONG_CONTENT, sent(200))), BACK),
    (
        "5: sign-in answers 500, the site is well",
        evidence(
            failed(SIGN_IN, K.SERVER_ERROR, sent(500, "/api/auth/csrf", SITE)),
            well(WEBHOOK, sent(200, "/hook", SITE)),
        ),
        BACK,
    ),
    (
        "5: an old recording with a 503 and no kind",
        evidence(result(DATA, FAILED, exchanges=(sent(503),))),
        BACK,
    ),
    ("5: a lesser feature is silent", evidence(failed(LIVE, K.NO_ANSWER, sent(None))), FIX),
]

SIX: list[Story] = [
    *(
        (
            f"6: {item} failed before alike",
            evidence(failed(item), before=replace(before(), statuses={item: FAILED})),
            FIX,
        )
        for item in (HEALTH, SIGN_IN, DATA)
    ),
    *(
        (
            f"6: {item} passed before",
            evidence(failed(item), before=replace(before(), statuses={item: PASSED})),
            BACK,
        )
        for item in (HEALTH, SIGN_IN, DATA)
    ),
    (
        "6: failed before, but that was 30 hours ago",
        evidence(failed(SIGN_IN), before=before(30, sign_in=FAILED)),
        BACK,
    ),
    (
        "6: 30 hours, where 48 count",
        evidence(failed(SIGN_IN), before=before(30, sign_in=FAILED), baseline_max_age_h=48.0),
        FIX,
    ),
    (
        "6: failed before, of the same commit",
        evidence(failed(SIGN_IN), commit=OLD, before=before(sign_in=FAILED)),
        BACK,
    ),
    (
        "6: wrong before, silent now",
        evidence(
            failed(HEALTH, K.NO_ANSWER, sent(None)),
            before=replace(before(health=FAILED), failures={HEALTH: FailedBefore(failure=K.WRONG_CONTENT)}),
        ),
        BACK,
    ),
    (
        "6: silent before, wrong now",
        evidence(
            failed(HEALTH),
            before=replace(before(health=FAILED), failures={HEALTH: FailedBefore(failure=K.NO_ANSWER)}),
        ),
        FIX,
    ),
    (
        "6: one in ten before, all now",
        evidence(
            failed(HEALTH, confirmation=share("x" * 40)),
            before=replace(before(health=FAILED), failures={HEALTH: FailedBefore(failed=4, tries=40)}),
        ),
        BACK,
    ),
    (
        "6: all before and all now",
        evidence(
            failed(HEALTH, confirmation=share("x" * 40)),
            before=replace(before(health=FAILED), failures={HEALTH: FailedBefore(failed=40, tries=40)}),
        ),
        FIX,
    ),
    (
        "6: one more provider is missing",
        evidence(
            failed(SIGN_IN, measurements=(Measurement("missing", "github, google"),)),
            before=replace(
                before(sign_in=FAILED),
                failures={SIGN_IN: FailedBefore(measurements=(Measurement("missing", "google"),))},
            ),
        ),
        BACK,
    ),
    (
        "6: the same provider is missing",
        evidence(
            failed(SIGN_IN, measurements=(Measurement("missing", "google"),)),
            before=replace(
                before(sign_in=FAILED),
                failures={SIGN_IN: FailedBefore(measurements=(Measurement("missing", "google"),))},
            ),
        ),
        FIX,
    ),
    ("6: not measured before, fails now", evidence(failed(SIGN_IN), before=before(sign_in=ERROR)), BACK),
    ("6: not measured before nor now", evidence(result(SIGN_IN, ERROR), before=before(sign_in=ERROR)), OPEN),
    ("6: a baseline, all well", evidence(records_baseline=True), PROCEED),
    *(
        (f"6: a baseline, {item} fails", evidence(failed(item), records_baseline=True), HOLD)
        for item in (HEALTH, DATA, LEAK, LIVE)
    ),
    (
        "6: a baseline with a stale key",
        evidence(refused(HEALTH, "KEY", R.UNAUTHORIZED), records_baseline=True),
        OPEN,
    ),
    (
        "6: a baseline that half of the errors spoil",
        evidence(measured(ERRORS, errors=40, requests=80), records_baseline=True),
        FIX,
    ),
    (
        "6: Render is down and we are silent",
        evidence(
            failed(HEALTH, K.NO_ANSWER, sent(None)),
            suppliers=(SupplierReport(Supplier.RENDER, ("Web Services: major outage",)),),
        ),
        FIX,
    ),
    (
        "6: Render is down and we answer wrongly",
        evidence(
            failed(HEALTH, K.WRONG_CONTENT, sent(200)),
            suppliers=(SupplierReport(Supplier.RENDER, ("Web Services: major outage",)),),
        ),
        BACK,
    ),
    (
        "6: Render's page does not tell",
        evidence(
            failed(HEALTH, K.NO_ANSWER, sent(None)),
            suppliers=(SupplierReport(Supplier.RENDER, unknown="silent"),),
        ),
        BACK,
    ),
]

EIGHT: list[Story] = [
    (
        "8: interrupted, payments confirmed broken",
        evidence(failed(WEBHOOK, confirmation=looks(FAILED)), interrupted=True),
        BACK,
    ),
    # Three tries in a row are a burst: a restart of the service looks the same.
    ("8: interrupted, payments failed in three tries", evidence(failed(WEBHOOK), interrupted=True), OPEN),
    (
        "8: interrupted while payments were confirmed",
        evidence(
            failed(
                WEBHOOK,
                confirmation=replace(looks(FAILED), incomplete="interrupted before the last look"),
            ),
            interrupted=True,
        ),
        OPEN,
    ),
    ("8: interrupted after one failing try", evidence(result(WEBHOOK, FAILED), interrupted=True), OPEN),
    (
        "8: interrupted after an outage that ended",
        evidence(failed(HEALTH, confirmation=well_again()), interrupted=True),
        OPEN,
    ),
    (
        "8: interrupted with a stale key",
        evidence(refused(HEALTH, "KEY", R.UNAUTHORIZED), interrupted=True),
        OPEN,
    ),
    ("8: interrupted, a hole was seen twice", evidence(failed(LEAK), interrupted=True), BACK),
    ("8: interrupted, a hole was seen once", evidence(failed(LEAK, attempts=()), interrupted=True), OPEN),
    ("8: interrupted, all well so far", evidence(interrupted=True), OPEN),
    (
        "8: a worker crashed, sign-in is broken",
        evidence(failed(SIGN_IN), result(HEALTH, ERROR, "the process died", attribution=Attribution.PROBER)),
        BACK,
    ),
    (
        "8: the deadline passed, data is gone",
        evidence(failed(DATA), result(LEAK, ERROR, "the deadline passed")),
        BACK,
    ),
    ("8: a required item was not selected", evidence(without=(DATA,)), OPEN),
    ("8: preflight fails", evidence(result(SECRETS, FAILED), phases=(Phase.PREFLIGHT,)), HOLD),
    ("8: nothing is wrong", evidence(), PROCEED),
    ("8: a required item waits for a person", evidence(result(WEBHOOK, UNVERIFIED)), OPEN),
    ("8: only looks are wrong", evidence(failed(LOOKS)), FIX),
    (
        "8: another commit answers",
        evidence(
            result(COMMIT, FAILED, measurements=(Measurement("api_commit", OLD),)), failed(LEAK), commit=NEW
        ),
        OPEN,
    ),
    ("8: it is slow", evidence(measured(LATENCY, response_times=(900.0,) * 59)), FIX),
]

STORIES = [*ONE, *INSTEAD, *TWO, *THREE, *FIVE, *SIX, *EIGHT]


@pytest.mark.parametrize(
    ("of", "call"), [story[1:] for story in STORIES], ids=[story[0] for story in STORIES]
)
def test_each_story_gets_the_call_of_a_careful_engineer(of: Evidence, call: Action) -> None:
    verdict = decide(of)
    assert verdict.recommendation is call, (verdict.headline, verdict.reasons)


def test_there_are_enough_stories() -> None:
    assert len(STORIES) >= 120
    assert len({story[0] for story in STORIES}) == len(STORIES)


# Properties, whatever else happens.

SEVERITY = {action: len(WORST_FIRST) - place for place, action in enumerate(WORST_FIRST)}


@settings(deadline=None)
@given(
    stale=st.lists(st.sampled_from(CREDENTIALS), unique_by=lambda one: one[0], min_size=1),
    silent=st.lists(st.sampled_from(TOKENS), unique=True, max_size=1),
    spoiled=st.booleans(),
)
def test_stale_credentials_alone_never_roll_back(
    stale: list[tuple[str, str, RefusalKind]], silent: list[str], *, spoiled: bool
) -> None:
    results = {item: refused(item, name, kind) for item, name, kind in stale}
    for name in silent:
        results.setdefault(LIVE, tokens(name))
    if spoiled:
        sampled = measured(ERRORS, errors=80, requests=80)
        results[ERRORS] = replace(sampled, exchanges=(sent(401, variable=stale[0][1]),))
    verdict = decide(evidence(*results.values()))
    assert verdict.recommendation is OPEN
    assert all(name in verdict.next_step for _, name, _ in stale)


SHOWN_BY_S = 67
"""With so many answers and no failure among them a share of 5 % is refused at every moment."""


@settings(deadline=None)
@given(
    ended=st.lists(st.sampled_from(ROLLBACK_ITEMS), unique=True, min_size=1),
    kind=st.sampled_from([K.NO_ANSWER, K.SERVER_ERROR, K.WRONG_FORMAT, K.WRONG_CONTENT]),
    well_before_s=st.integers(0, 40),
    bad=st.integers(1, 40),
    well_for_s=st.integers(30, 120),
    sampled=st.booleans(),
)
def test_an_outage_that_ended_never_rolls_back(
    ended: list[str], kind: FailureKind, well_before_s: int, bad: int, well_for_s: int, *, sampled: bool
) -> None:
    """A hole is none: one that was seen by two separate requests is open until somebody closes it."""
    silent = kind is not K.WRONG_CONTENT
    assume(silent or LEAK not in ended)
    again = (
        share("." * well_before_s + "x" * bad + "." * well_for_s, silent=silent)
        if sampled
        else looks(*[FAILED] * bad, *[PASSED] * (well_for_s // 10), step=10, silent=silent)
    )
    verdict = decide(evidence(*(failed(item, kind, confirmation=again) for item in ended)))
    assert verdict.recommendation is not BACK
    shown = well_for_s >= (SHOWN_BY_S if sampled else 80)
    assert (verdict.recommendation is PROCEED) is shown, verdict.reasons


@settings(deadline=None)
@given(
    ended=st.lists(st.sampled_from(ROLLBACK_ITEMS), unique=True, min_size=1),
    kind=st.sampled_from([K.NO_ANSWER, K.SERVER_ERROR, K.WRONG_FORMAT]),
    seconds=st.integers(5, 50),
)
def test_an_outage_of_a_service_that_ended_is_told_and_decides_nothing(
    ended: list[str], kind: FailureKind, seconds: int
) -> None:
    again = looks(PASSED, PASSED, silent=True)
    down = (away("api", seconds), away("frontend", seconds))
    verdict = decide(evidence(*(failed(one, kind, confirmation=again) for one in ended), timelines=down))
    assert (verdict.recommendation, verdict.reasons) == (PROCEED, ())
    assert [(one.service, one.seconds) for one in verdict.outages] == [
        ("api", float(seconds)),
        ("frontend", float(seconds)),
    ]


@settings(deadline=None)
@given(item=st.sampled_from(ROLLBACK_ITEMS), total=st.integers(12, 200), of=st.floats(0.33, 1.0))
def test_a_third_of_the_requests_is_never_passed_over(item: str, total: int, of: float) -> None:
    bad = max(1, round(of * total))
    verdict = decide(evidence(flaky(item, share(spread(bad, total)))))
    assert verdict.recommendation in {BACK, OPEN}
    assert verdict.recommendation is BACK or total < 24


@settings(deadline=None)
@given(item=st.sampled_from(ROLLBACK_ITEMS), total=st.integers(50, 400), of=st.floats(0.0, 0.02))
def test_two_in_a_hundred_never_roll_back(item: str, total: int, of: float) -> None:
    """A hole is none: it is no matter of shares."""
    again = share(spread(int(of * total), total), silent=True)
    verdict = decide(evidence(failed(item, K.SERVER_ERROR, confirmation=again)))
    assert verdict.recommendation is not BACK


KINDS = st.sampled_from(
    [
        well,
        failed,
        lambda item: result(item, ERROR),
        lambda item: refused(item, "KEY", R.UNAUTHORIZED),
        lambda item: failed(item, K.SERVER_ERROR, sent(500)),
        lambda item: failed(item, confirmation=looks(PASSED)),
        lambda item: failed(item, confirmation=well_again(FAILED)),
        lambda item: failed(item, confirmation=looks(FAILED, ERROR)),
        lambda item: flaky(item, share(spread(5, 100))),
    ]
)


@settings(deadline=None)
@given(
    kinds=st.dictionaries(st.sampled_from([*ROLLBACK_ITEMS, LIVE, LOOKS]), KINDS, max_size=5),
    added=st.sampled_from([*ROLLBACK_ITEMS, LIVE, LOOKS]),
)
def test_a_pass_makes_no_call_worse_and_a_failure_none_better(kinds: dict[str, object], added: str) -> None:
    others = [make(item) for item, make in kinds.items() if item != added]  # type: ignore[operator]
    without = decide(evidence(*others, without=(added,))).recommendation
    passing = decide(evidence(*others, well(added))).recommendation
    failing = decide(evidence(*others, failed(added))).recommendation
    assert SEVERITY[passing] <= SEVERITY[without]
    assert SEVERITY[failing] >= SEVERITY[passing]


# What the verdict says.


@pytest.mark.parametrize("item", ROLLBACK_ITEMS)
@pytest.mark.parametrize(
    ("kind", "status"), [(K.SERVER_ERROR, 502), (K.NO_ANSWER, None), (K.WRONG_FORMAT, 200)]
)
def test_silence_is_told_as_silence(item: str, kind: FailureKind, status: int | None) -> None:
    verdict = decide(evidence(failed(item, kind, sent(status))))
    assert verdict.headline.startswith("core functionality is broken: ")
    assert {reason.clause for reason in verdict.reasons} == {"core is broken"}
    assert not any("restore" in warning for warning in verdict.rollback.warnings)
    if item != HEALTH:
        told = next(one for one in verdict.items if one.id == item)
        assert (told.user_impact, told.remedy) == ("", None)


def test_an_endpoint_that_is_dead_is_judged_as_what_it_serves() -> None:
    csrf = sent(500, "/api/auth/csrf", SITE)
    verdict = decide(evidence(failed(SIGN_IN, K.SERVER_ERROR, csrf), well(WEBHOOK, sent(200, "/hook", SITE))))
    assert verdict.headline == "authentication is broken: GET /api/auth/csrf answers 500 in every try"


def test_reasons_of_one_cause_stand_together() -> None:
    down = (failed(item, K.NO_ANSWER, sent(None)) for item in (HEALTH, DATA, LEAK))
    (cause,) = decide(evidence(*down)).causes
    assert (cause.title, set(cause.items)) == (f"{API} does not answer", {HEALTH, DATA, LEAK})


def test_without_a_baseline_nothing_is_called_introduced() -> None:
    verdict = decide(evidence(*(failed(item) for item in ROLLBACK_ITEMS)))
    assert {reason.attribution for reason in verdict.reasons} == {Attribution.UNKNOWN}
    assert verdict.not_compared == "no earlier run shows how it was before this deployment"


def test_an_unusable_baseline_says_why() -> None:
    old = decide(evidence(failed(SIGN_IN), before=before(30, sign_in=FAILED)))
    assert old.not_compared == "the baseline r1 is 30 h old, and at most 24 h count"
    same = decide(evidence(failed(SIGN_IN), commit=OLD, before=before(sign_in=FAILED)))
    assert same.not_compared.startswith("the baseline r1 is of the same commit")


def test_moving_an_impact_between_the_lists_of_the_policy_changes_the_call() -> None:
    policy = RUNBOOK.policy
    feature = next(clause for clause in policy.do_not_roll_back if clause.impact is Impact.FEATURE)
    auth = next(clause for clause in policy.roll_back if clause.impact is Impact.AUTH)
    moved = policy.model_copy(
        update={
            "roll_back": (*(one for one in policy.roll_back if one is not auth), feature),
            "do_not_roll_back": (*(one for one in policy.do_not_roll_back if one is not feature), auth),
        }
    )
    runbook = RUNBOOK.model_copy(update={"policy": moved})
    assert decide(evidence(failed(LIVE))).recommendation is FIX
    assert decide(evidence(failed(LIVE), runbook=runbook)).recommendation is BACK
    assert decide(evidence(failed(SIGN_IN))).recommendation is BACK
    assert decide(evidence(failed(SIGN_IN), runbook=runbook)).recommendation is FIX


def with_clauses(**changed: dict[str, Any]) -> Any:
    """The runbook whose clauses of these impacts have other properties."""
    policy = RUNBOOK.policy
    clauses = tuple(
        clause.model_copy(update=changed.get(clause.impact or "", {})) for clause in policy.roll_back
    )
    return RUNBOOK.model_copy(update={"policy": policy.model_copy(update={"roll_back": clauses})})


def test_which_clause_speaks_for_failing_requests_is_the_policys_to_say() -> None:
    runbook = with_clauses(core={"silence": False}, auth={"silence": True})
    many = result(
        ERRORS, FAILED, measurements=(Measurement("errors", 30), Measurement("requests", 90)), attempts=()
    )
    clause = next(one.text for one in RUNBOOK.policy.roll_back if one.impact is Impact.AUTH)
    assert clause in {reason.clause for reason in decide(evidence(many, runbook=runbook)).reasons}
    nobody = with_clauses(core={"silence": False})
    assert decide(evidence(many, runbook=nobody)).recommendation is FIX


def test_what_two_requests_confirm_is_the_policys_to_say() -> None:
    runbook = with_clauses(auth={"confirmation": "short"}, security={"confirmation": "long"})
    twice = {item: evidence(failed(item), interrupted=True, runbook=runbook) for item in (SIGN_IN, LEAK)}
    assert decide(twice[SIGN_IN]).recommendation is BACK
    assert decide(twice[LEAK]).recommendation is OPEN
