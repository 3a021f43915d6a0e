"""Edges of the attribution: statuses at their limits, the age of a baseline, and copies of a cache."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.attribution.attribution import attributed, blame
from kamiyo_verify.judge.attribution.before import (
    addresses,
    changed_address,
    failed_alike,
    failed_before,
    why_not_compared,
    why_unusable,
    why_worse,
)
from kamiyo_verify.judge.attribution.caches import without_copies
from kamiyo_verify.judge.attribution.error_bodies import with_leaks
from kamiyo_verify.judge.attribution.explained import explaining, is_stranger, is_turned_away
from kamiyo_verify.judge.attribution.failures import beyond_code_because, failing, failure_by, unanswered
from kamiyo_verify.judge.attribution.in_place import without_substitutes
from kamiyo_verify.judge.attribution.operator_path import READINESS_ITEM, corroborated
from kamiyo_verify.judge.attribution.services import behind, changed, known_services, to_take_back
from kamiyo_verify.judge.attribution.suppliers import counts, region_of
from kamiyo_verify.judge.causes import cause_title, causes
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.circumstances import Before, FailedBefore
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.credentials import CredentialUse, Refusal, RefusalKind
from kamiyo_verify.model.history.history import Deployed, DeploymentRecord, History, Tally
from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState
from kamiyo_verify.model.outcomes import UNTRUSTED
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Item, SupplierRow
from kamiyo_verify.model.words import Attribution, FailureKind, Impact, Part, Phase, Status, Supplier
from tests.support.evidence_for import (
    DATA,
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LEAK,
    LIVE,
    LOOKS,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    UNVERIFIED,
    WEBHOOK,
    at,
    evidence,
    result,
    share,
)

API, SITE = "https://api.example", "https://site.example"
NEW, OLD = "9c41d07" + "0" * 33, "3b0cca2" + "0" * 33
K = FailureKind
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def sent(status: int | None, path: str = "/x", method: str = "GET", **more: Any) -> Exchange:
    problem = more.pop("problem", "" if status else "refuses the connection")
    url = path if "://" in path else f"{API}{path}"
    return Exchange(method, url, status, 5.0, problem=problem, **more)


# What a credential explains


@pytest.mark.parametrize(
    ("status", "accepted", "credential", "turned_away", "stranger"),
    [
        (200, False, "KEY", False, True),
        (399, False, "KEY", False, True),
        (400, False, "KEY", True, False),
        (401, False, "KEY", True, False),
        (None, False, "KEY", True, False),
        (401, None, "KEY", False, False),
        (200, True, "KEY", False, False),
        (401, False, "", False, False),
    ],
)
def test_a_refused_request_is_turned_away_or_served_as_a_strangers(
    status: int | None, credential: str, *, accepted: bool | None, turned_away: bool, stranger: bool
) -> None:
    one = sent(status, credential=credential, accepted=accepted)
    assert (is_turned_away(one), is_stranger(one)) == (turned_away, stranger)


def keyed(status: int | None, accepted: bool | None = False, name: str = "KEY") -> Exchange:  # noqa: FBT001, FBT002
    return sent(status, credential=name, accepted=accepted)


@pytest.mark.parametrize(
    ("kind", "exchanges", "names"),
    [
        (K.WRONG_CONTENT, (keyed(200),), {"KEY"}),
        (K.WRONG_CONTENT, (keyed(401),), {"KEY"}),
        (K.WRONG_CONTENT, (keyed(200), sent(200)), set()),
        (K.WRONG_CONTENT, (keyed(200), keyed(500, None)), set()),
        (K.WRONG_CONTENT, (keyed(401), keyed(500, None)), {"KEY"}),
        (K.WRONG_CONTENT, (keyed(200), keyed(None, None)), set()),
        (K.WRONG_CONTENT, (keyed(200), keyed(499, None)), {"KEY"}),
        (K.WRONG_STATUS, (keyed(200), keyed(399, None)), set()),
        (K.WRONG_STATUS, (keyed(200), keyed(400, None)), {"KEY"}),
        (K.WRONG_STATUS, (keyed(200), keyed(400, None, "OTHER")), set()),
        (K.SERVER_ERROR, (keyed(401), keyed(500, None)), set()),
        (K.WRONG_FORMAT, (keyed(401),), {"KEY"}),
        (K.WRONG_FORMAT, (keyed(200),), set()),
        (K.WRONG_CONTENT, (), set()),
        (K.WRONG_CONTENT, (keyed(200, None),), set()),
    ],
)
def test_which_credentials_can_be_why_an_item_failed(
    kind: FailureKind, exchanges: tuple[Exchange, ...], names: set[str]
) -> None:
    one = result(HEALTH, FAILED, failure=kind, exchanges=exchanges)
    assert explaining(evidence(one), one) == names
    tries = (Attempt(FAILED, "", at(0), 0.1), Attempt(FAILED, "", at(1), 0.1))
    assert explaining(evidence(one), replace(one, attempts=tries)) == names
    at_last = replace(one, attempts=(*tries, Attempt(PASSED, "", at(2), 0.1)))
    assert explaining(evidence(one), at_last) == set()
    first = replace(one, attempts=(Attempt(PASSED, "", at(2), 0.1), *tries))
    assert explaining(evidence(one), first) == names


# The time before


def before(**more: Any) -> Before:
    return Before(**{"run": "r1", "baseline": True, "commit": OLD, "finished_at": "", "age_s": 60.0, **more})


@pytest.mark.parametrize(
    ("name", "was", "now", "text"),
    [
        ("missing", 1, 2, "1 were missing before, and 2 are"),
        ("missing", 2, 2, ""),
        ("missing", 2, 1, ""),
        ("missing[a]", 1.5, 2.5, "1.5 were missing before, and 2.5 are"),
        ("others", 1, 2, ""),
        ("a", 1, 2, ""),
        ("missing", "a, b", "b, A", ""),
        ("missing", "a", "a, b, c", "b, c were not missing before"),
        ("missing", "", " , b,", "b was not missing before"),
        ("missing", 1, "a", ""),
    ],
)
def test_more_that_is_missing_is_worse(name: str, was: Any, now: Any, text: str) -> None:
    one = result(HEALTH, FAILED, measurements=(Measurement("x", 9), Measurement(name, now)))
    then = FailedBefore(failure=K.WRONG_CONTENT, measurements=(Measurement("x", 1), Measurement(name, was)))
    assert why_worse(one, then) == text


def test_what_a_later_failure_is_compared_with() -> None:
    taken = (Measurement("missing", 2), Measurement("times", (1.0, 2.0)))
    one = result(HEALTH, FAILED, measurements=taken, failure=K.WRONG_STATUS)
    assert failed_before(one) == FailedBefore(
        failure=K.WRONG_STATUS, measurements=taken[:1], failed=0, tries=0
    )
    sampled = replace(one, confirmation=Confirmation(at(0), share=share("FFSS")))
    assert (failed_before(sampled).failed, failed_before(sampled).tries) == (2, 4)


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (K.SERVER_ERROR, K.CREDENTIAL_REFUSED),
        (K.NO_ANSWER, K.WRONG_FORMAT),
        (K.WRONG_FORMAT, K.COMMAND_FAILED),
        (K.SERVER_ERROR, K.WRONG_CONTENT),
    ],
)
def test_a_graver_kind_of_failure_is_worse_and_two_of_a_grade_are_alike(
    worse: FailureKind, better: FailureKind
) -> None:
    assert why_worse(result(HEALTH, FAILED, failure=worse), FailedBefore(failure=better)) != ""
    for one, other in ((better, worse), (K.WRONG_STATUS, K.WRONG_CONTENT), (K.WRONG_FORMAT, K.SERVER_ERROR)):
        assert why_worse(result(HEALTH, FAILED, failure=one), FailedBefore(failure=other)) == ""


@pytest.mark.parametrize(
    ("then", "now", "alike"),
    [
        (FAILED, FAILED, True),
        (FAILED, ERROR, True),
        (ERROR, ERROR, True),
        (ERROR, FAILED, False),
        (PASSED, FAILED, False),
        (UNVERIFIED, FAILED, False),
    ],
)
def test_a_failure_is_as_before_where_it_was_one_then(then: Status, now: Status, *, alike: bool) -> None:
    one = result(HEALTH, now)
    of = evidence(one, before=before(statuses={HEALTH: then}), commit=NEW)
    assert failed_alike(of, one) is alike
    assert not failed_alike(evidence(one, before=before(statuses={}), commit=NEW), one)


@pytest.mark.parametrize(
    ("age_s", "baseline", "compared"),
    [(86_400.0, True, ""), (86_401.0, True, "24 h old"), (86_401.0, False, "")],
)
def test_numbers_are_compared_with_a_baseline_that_is_young_enough(
    age_s: float, compared: str, *, baseline: bool
) -> None:
    of = evidence(before=before(age_s=age_s, baseline=baseline), commit=NEW)
    assert why_not_compared(of).count("24 h") == (2 if compared else 0)
    assert compared in why_not_compared(of)
    assert why_not_compared(evidence()) == ""


def test_where_the_commit_was_not_read_the_baseline_may_be_of_the_same_one() -> None:
    unread = evidence(result("postdeploy.commit-answering", FAILED), before=before())
    assert why_unusable(unread) == (
        "this run did not read which commit answers, so the baseline r1 may be of the same one"
    )
    assert why_unusable(evidence(before=before())) == ""


def test_an_item_asks_the_addresses_of_its_requests_over_http() -> None:
    one = result(
        HEALTH,
        exchanges=(
            sent(200, "wss://api.example/live"),
            sent(200, "/a"),
            sent(200, "http://127.0.0.1:8000/"),
            sent(None, "postgres://db", method="SQL"),
        ),
    )
    assert addresses([one, result(DATA)]) == {HEALTH: (API, "this machine")}
    assert changed_address({HEALTH: (SITE, API)}, {HEALTH: (API,)}) == ""
    assert changed_address({HEALTH: (SITE, "b")}, {HEALTH: (API,)}) == SITE
    assert changed_address({DATA: (SITE,)}, {HEALTH: (API,)}) == ""
    assert changed_address({HEALTH: ()}, {HEALTH: (API,)}) == ""


# How an item failed


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (sent(499), K.WRONG_CONTENT),
        (sent(500), K.SERVER_ERROR),
        (sent(None), K.NO_ANSWER),
        (sent(None, problem=""), K.WRONG_CONTENT),
        (sent(None, "deploy", method="RUN"), K.COMMAND_FAILED),
        (sent(None, "deploy", method="RUN", problem=""), K.WRONG_CONTENT),
    ],
)
def test_the_last_exchange_shows_how_an_item_failed(last: Exchange, kind: FailureKind) -> None:
    assert failure_by(last) is kind
    assert unanswered(last) is (kind is K.NO_ANSWER)


def test_the_exchange_whose_path_the_message_names_shows_the_failure() -> None:
    exchanges = (sent(200, "/a"), sent(200, "/a/b"), sent(200, "/"), sent(200, "/c"))

    def shown(message: str) -> str:
        found = failing(result(HEALTH, FAILED, message, failure=K.WRONG_CONTENT, exchanges=exchanges))
        return found.url.removeprefix(API) if found else ""

    assert [shown("GET /a: no rows"), shown("/a/b: none"), shown("/aa"), shown("x/a"), shown("it broke")] == [
        "/a",
        "/a/b",
        "/c",
        "/c",
        "/c",
    ]


EXPIRED = f"{UNTRUSTED}: certificate has expired"


def test_a_failure_lies_before_the_service_where_every_bad_request_does() -> None:
    def because(*exchanges: Exchange, kind: FailureKind = K.NO_ANSWER, message: str = "broken") -> str:
        return beyond_code_because(result(HEALTH, FAILED, message, failure=kind, exchanges=exchanges))

    bad = sent(None, problem=EXPIRED)
    assert because(bad, sent(200)) == EXPIRED
    assert because(bad, sent(499)) == EXPIRED
    assert because(bad, sent(500)) == ""
    assert because(bad, sent(None)) == ""
    assert because(bad, kind=K.SERVER_ERROR) == ""
    assert because(message=EXPIRED) == EXPIRED
    assert because() == ""


# Caches


def copy(path: str = "/x", status: int = 200, stored_s: float | None = -60.0) -> Exchange:
    """A copy that was stored so long before the run began."""
    began = datetime.fromisoformat("2026-11-23T14:09:58+00:00")
    stored = "" if stored_s is None else (began + timedelta(seconds=stored_s)).isoformat()
    return sent(status, path, cached="HIT", stored_at=stored)


def after_copies(*results: Result, **more: Any) -> dict[str, Result]:
    return {one.item: one for one in without_copies(evidence(*results, **more))}


@pytest.mark.parametrize(
    ("exchanges", "copied"),
    [
        ((copy(),), True),
        ((copy(stored_s=None),), True),
        ((copy(stored_s=-0.001),), True),
        ((copy(stored_s=0.0),), False),
        ((copy(), sent(200)), False),
        ((copy(), sent(500)), False),
        ((copy(), sent(400)), True),
        ((copy(), sent(499)), True),
        ((copy(), sent(399)), False),
        ((copy(), sent(None)), True),
        ((sent(200),), False),
    ],
)
def test_an_endpoint_that_only_a_cache_answered_shows_nothing_of_the_release(
    exchanges: tuple[Exchange, ...], *, copied: bool
) -> None:
    found = after_copies(result(HEALTH, exchanges=exchanges))[HEALTH]
    assert (found.failure is K.CACHED) is copied
    assert (found.status is ERROR) is copied


def test_the_copies_are_counted() -> None:
    one, two, three = copy("/a"), copy("/b"), copy("/c")

    def message(*exchanges: Exchange) -> str:
        return after_copies(result(HEALTH, exchanges=exchanges))[HEALTH].message

    end = " with a copy (HIT) that may be older than the release"
    assert message(one) == f"a cache answered GET /a{end}"
    assert message(one, two) == f"a cache answered GET /a (and 1 more request){end}"
    assert message(one, two, three) == f"a cache answered GET /a (and 2 more requests){end}"
    assert message(copy("")) == f"a cache answered GET /{end}"


def test_copies_count_where_they_can_hide_the_release() -> None:
    assert after_copies(result(HEALTH, exchanges=(copy(),)), records_baseline=True)[HEALTH].status is PASSED
    assert after_copies(result(ERRORS, exchanges=(copy(),)))[ERRORS].status is PASSED
    assert after_copies(result(LOOKS, exchanges=(copy(),)))[LOOKS].status is ERROR
    own = result(HEALTH, exchanges=(sent(200, "/other"),))
    assert after_copies(result(LOOKS, exchanges=(copy(),)), own)[LOOKS].status is PASSED
    for status in (199, 300, 401):
        other = result(HEALTH, exchanges=(sent(status, "/other"),))
        assert after_copies(result(LOOKS, exchanges=(copy(),)), other)[LOOKS].status is ERROR
    named = result(HEALTH, exchanges=(copy(),), measurements=(Measurement("api_commit", NEW[:9]),))
    assert after_copies(named, commit=NEW)[HEALTH].status is PASSED
    assert after_copies(named, commit=OLD)[HEALTH].status is ERROR
    assert after_copies(named)[HEALTH].status is ERROR


def test_a_failure_is_a_copys_only_at_the_endpoint_that_shows_it() -> None:
    other = result(HEALTH, FAILED, "GET /b: no rows", exchanges=(copy("/a"), sent(200, "/b?x=1")))
    assert after_copies(other)[HEALTH].status is FAILED
    mine = result(HEALTH, FAILED, "GET /b: no rows", exchanges=(copy("/b"), sent(200, "/a")))
    assert after_copies(mine)[HEALTH].failure is K.CACHED


# Something else that answers


def page(path: str, body: str = "p1", leads_to: str = "", status: int = 200) -> Exchange:
    return sent(status, path, page=body, leads_to=leads_to)


@pytest.mark.parametrize(
    ("exchanges", "why"),
    [
        (
            (page("/a"), page("/b"), page("/c", status=503)),
            f"{API} answers every request of this run with one and the same page (200/503), which may not be",
        ),
        ((page("/a"), page("/b"), page("/b?x=1")), ""),
        ((page("/a"), page("/b"), page("/c", "p2")), ""),
        ((page("/a", ""), page("/b", ""), page("/c", "")), ""),
        (
            tuple(page(path, "", "https://login.example", 302) for path in ("/a", "/b", "/c")),
            f"{API} redirects every request of this run to https://login.example",
        ),
        ((page("/a", "", "https://l"), page("/b", "", "https://l"), page("/c", "", "")), ""),
        ((page("/a"), page("/b"), page("/c"), page("https://site.example/d")), ""),
    ],
)
def test_one_page_for_three_paths_may_not_be_the_services_own(
    exchanges: tuple[Exchange, ...], why: str
) -> None:
    failed = result(HEALTH, FAILED, "it broke", exchanges=exchanges)
    [found] = [one for one in without_substitutes(evidence(failed)) if one.item == HEALTH]
    assert (found.failure is K.ANSWERED_IN_PLACE) is bool(why)
    assert found.message.startswith(why or "it broke")
    named = result(DATA, exchanges=exchanges[:1], measurements=(Measurement("title", "Kamiyo"),))
    [found] = [one for one in without_substitutes(evidence(failed, named)) if one.item == HEALTH]
    assert (found.status is ERROR) is ("redirects" in why)


# Suppliers, databases and error bodies

ROW = SupplierRow(id=Supplier.RENDER, name="Render", page="render", components=("PostgreSQL", "Web (Oregon)"))


@pytest.mark.parametrize(
    ("component", "region", "relevant"),
    [
        ("postgresql", "", True),
        ("PostgreSQL (Singapore)", "Singapore", True),
        ("PostgreSQL - Singapore", "Singapore", True),
        ("PostgreSQL: Oregon", "", False),
        ("PostgreSQL : Oregon", "Oregon", False),
        ("Web (Oregon)", "Oregon", True),
        ("Web (Singapore)", "Singapore", False),
        ("Redis", "", False),
    ],
)
def test_a_component_counts_by_its_whole_name_and_our_region(
    component: str, region: str, *, relevant: bool
) -> None:
    assert region_of(component) == region
    assert counts(component, ROW, ["SINGAPORE"]) is relevant


READY = Item(
    id=READINESS_ITEM, title="R", section="4", phase=Phase.POSTDEPLOY, impact=Impact.CORE, services=("api",)
)


@pytest.mark.parametrize(
    ("readiness", "attribution", "text"),
    [
        (PASSED, Attribution.PROBER, "no route; the API says that its database is healthy, so users are not"),
        (FAILED, Attribution.UNKNOWN, "no route; the API does not say that its database is healthy, either"),
        (ERROR, Attribution.UNKNOWN, "no route; the API does not say that its database is healthy, either"),
        (UNVERIFIED, Attribution.PROBER, "no route"),
        (None, Attribution.PROBER, "no route"),
    ],
)
def test_an_unreachable_database_is_judged_by_what_the_api_reports(
    readiness: Status | None, attribution: Attribution, text: str
) -> None:
    items = tuple(
        one.model_copy(update={"part": Part.DATABASE}) if one.id == DATA else one for one in RUNBOOK.items
    )
    book = RUNBOOK.model_copy(update={"items": (*items, READY)})
    mine = result(DATA, ERROR, "no route", attribution=Attribution.PROBER)
    others = () if readiness is None else (Result(READINESS_ITEM, Phase.POSTDEPLOY, readiness, "x"),)
    of = evidence(mine, *others, runbook=book, without=(READINESS_ITEM,))
    if readiness is None:
        of = evidence(mine)
        assert corroborated(of, mine) == mine
        return
    found = corroborated(of, mine)
    assert found.attribution is attribution
    assert found.message.startswith(text)
    for other in (replace(mine, status=FAILED), replace(mine, attribution=None)):
        assert corroborated(of, other) == other


def test_server_errors_that_show_the_inside_are_named_up_to_three() -> None:
    items = tuple(one.model_copy(update={"reads_errors": one.id == LEAK}) for one in RUNBOOK.items)
    book = RUNBOOK.model_copy(update={"items": items})

    def message(count: int, status: Status = PASSED) -> Result:
        leaks = tuple(sent(500, f"/{number}", leak="Traceback") for number in range(count))
        return with_leaks({LEAK: result(LEAK, status), HEALTH: result(HEALTH, exchanges=leaks)}, book)[LEAK]

    assert "more" not in message(3).message
    assert message(4).message.endswith(
        "; GET https://api.example/2 answered 500 and shows Traceback (and 1 more)"
    )
    assert message(4, FAILED).message == f"{LEAK} is failed"
    assert message(1).attribution is Attribution.UNKNOWN
    assert message(2).attribution is None


# Services


def hosted(service: str, *rows: tuple[str, DeployStatus]) -> ServiceState:
    deploys = tuple(
        Deploy(
            id=f"dep-{len(rows) - place}",
            commit=DeployedCommit(id=commit),
            status=status,
            created_at=NOW - timedelta(hours=place),
        )
        for place, (commit, status) in enumerate(rows)
    )
    return ServiceState(
        service=service,
        id=service,
        name=f"kamiyo-{service}",
        dashboard="",
        api="",
        auto_deploy=True,
        suspended=False,
        deploys=deploys,
    )


ON, OFF, BUILD_FAILED = DeployStatus.LIVE, DeployStatus.DEACTIVATED, DeployStatus.BUILD_FAILED


def items(*names: str) -> list[Item]:
    return [evidence().item(name) for name in names]


def test_only_what_this_deployment_changed_is_taken_back() -> None:
    both = (hosted("api", (NEW, ON), (OLD, OFF)), hosted("frontend", (OLD, ON)))
    of = evidence(hosted=both, commit=NEW)
    assert [one.service for one in changed(of)] == ["api"]
    assert to_take_back(of, items(HEALTH)) == ("api",)
    assert to_take_back(of, items(SIGN_IN)) == ("api",), "what did not change cannot be the cause"
    assert to_take_back(evidence(hosted=both), items(HEALTH)) == ("api",), "the newest deploy is the release"
    assert to_take_back(evidence(), items(SIGN_IN)) == ("frontend",)
    unknown = evidence(hosted=both[:1], commit=NEW)
    assert to_take_back(unknown, items(SIGN_IN)) == ("frontend",), "the host did not report it"
    assert to_take_back(evidence(hosted=both, commit="f" * 40), items(HEALTH)) == ("api",)
    assert known_services(evidence(hosted=(*both, hosted("worker", (NEW, ON))))) == (
        "api",
        "frontend",
        "worker",
    )


def test_an_item_that_relies_on_a_broken_service_is_about_that_one() -> None:
    both = tuple(
        one.model_copy(update={"services": ("frontend", "api")}) if one.id == WEBHOOK else one
        for one in RUNBOOK.items
    )
    book = RUNBOOK.model_copy(update={"items": both})
    of = evidence(runbook=book)
    named = {one.id: one for one in book.items}
    assert behind(of, [named[WEBHOOK]]) == ("frontend",)
    assert behind(of, [named[WEBHOOK], named[HEALTH]]) == ("api",)
    assert behind(of, [named[WEBHOOK], named[SIGN_IN]]) == ("frontend",)
    assert behind(of, [named[LIVE]]) == ("api", "frontend")


def test_a_failure_of_a_service_whose_deploy_failed_is_not_about_the_release() -> None:
    """The API runs the release; the deploy of the frontend failed, so that its old version still serves."""
    both = (hosted("api", (NEW, ON), (OLD, OFF)), hosted("frontend", (NEW, BUILD_FAILED), (OLD, ON)))
    verdict = decide(evidence(result(SIGN_IN, FAILED), hosted=both, commit=NEW))
    assert verdict.recommendation.value != "roll_back"
    deployed = (both[0], hosted("frontend", (NEW, ON), (OLD, OFF)))
    assert (
        decide(evidence(result(SIGN_IN, FAILED), hosted=deployed, commit=NEW)).recommendation == "roll_back"
    )
    unchanged = (both[0], hosted("frontend", (OLD, ON)))
    alone = decide(evidence(result(HEALTH, FAILED), hosted=unchanged, commit=NEW))
    assert alone.recommendation == "roll_back"


# The credential, the clock and the cause


def test_the_clock_has_a_side_on_both_sides() -> None:
    def of(seconds: float) -> tuple[Attribution, str]:
        found = attributed(evidence(result(WEBHOOK, FAILED), clock_ahead_s=seconds))
        one = found.result(WEBHOOK)
        assert one is not None
        reason = blame(found, one)
        return reason.culprit, reason.why

    assert of(241.0)[1].startswith(
        "the clock of this machine is 4 min 1 s ahead, and signatures go by it: set it"
    )
    assert of(-241.0)[1].startswith("the clock of this machine is 4 min 1 s behind, and signatures go by it")
    assert (of(240.0)[0], of(-240.0)[0]) == (Attribution.UNKNOWN, Attribution.UNKNOWN)


def test_a_refused_request_is_named_by_its_status() -> None:
    refusal = Refusal("", RefusalKind.UNAUTHORIZED)

    def title(status: int) -> str:
        one = result(
            HEALTH,
            FAILED,
            "it broke",
            failure=K.CREDENTIAL_REFUSED,
            refusal=refusal,
            exchanges=(sent(status),),
        )
        return cause_title(evidence(one), one)

    assert [title(400), title(399)] == ["GET /x answers 400", "it broke"]


def test_causes_group_what_fails_alike_and_reasons_come_first() -> None:
    same = [result(name, FAILED, exchanges=(sent(500),), failure=K.SERVER_ERROR) for name in (HEALTH, DATA)]
    other = result(SIGN_IN, FAILED, "the page is blank", started_at=at(5))
    found = causes(evidence(*same, other), [Reason(SIGN_IN, None, None, "", "")])
    assert [(one.title, one.items) for one in found] == [
        ("the page is blank", (SIGN_IN,)),
        ("GET /x answers 500", (HEALTH, DATA)),
    ]
    assert [(one.status, one.at) for one in found] == [(None, at(5)), (500, "")]


def test_the_credentials_of_a_refused_sample_are_counted_and_named() -> None:
    mixed = (keyed(401), keyed(403, name="ADMIN"), sent(200))
    sample = result(ERRORS, exchanges=mixed, measurements=(Measurement("errors", 2),))
    uses = tuple(CredentialUse(name, "f1", accepted=0, refused=9) for name in ("KEY", "ADMIN"))
    [found] = [one for one in attributed(evidence(sample, credentials=uses)).results if one.item == ERRORS]
    assert found.message == (
        "2 of its 3 requests were refused with ADMIN and KEY: they show nothing about the platform"
    )
    assert found.refusal is not None
    assert found.refusal.variable == "ADMIN"


# What is named first


def test_the_first_problem_before_the_service_is_named() -> None:
    first, second = f"{EXPIRED} yesterday", f"{EXPIRED} today"
    both = (sent(None, problem=first), sent(None, problem=second))
    one = result(HEALTH, FAILED, failure=K.NO_ANSWER, exchanges=both)
    assert beyond_code_because(one) == first


def test_only_answers_of_the_items_own_address_show_that_one_page_answers() -> None:
    pages = (page("/a"), page("/b"), page("/c"), sent(None, "/d"))
    failed = result(HEALTH, FAILED, "it broke", exchanges=pages)
    others = result(
        DATA, exchanges=(page("https://site.example/z", "p9"), page("https://site.example/y", "p8"))
    )
    [found] = [one for one in without_substitutes(evidence(failed, others)) if one.item == HEALTH]
    assert found.failure is K.ANSWERED_IN_PLACE
    own = result(DATA, exchanges=(page("/z", "p9"),))
    [found] = [one for one in without_substitutes(evidence(failed, own)) if one.item == HEALTH]
    assert found.failure is None


@pytest.mark.parametrize(("variable", "renew"), [("KEY", "renew KEY"), ("", "renew a credential of ours")])
def test_a_refused_credential_is_to_be_renewed_by_its_name(variable: str, renew: str) -> None:
    one = result(
        HEALTH,
        FAILED,
        failure=K.CREDENTIAL_REFUSED,
        refusal=Refusal(variable, RefusalKind.UNAUTHORIZED),
        exchanges=(sent(401),),
    )
    of = attributed(evidence(one))
    mine = of.result(HEALTH)
    assert mine is not None
    assert blame(of, mine).why.endswith(f": nothing else shows that the platform is at fault; {renew}")


@pytest.mark.parametrize(
    ("fresh", "ours"),
    [
        ({}, True),
        ({"method": "GET"}, False),
        ({"accepted": None}, False),
        ({"accepted": False}, False),
        ({"credential": "KEY"}, False),
    ],
)
def test_a_stored_session_expired_where_a_new_sign_in_is_accepted(
    fresh: dict[str, Any], *, ours: bool
) -> None:
    book = RUNBOOK.model_copy(
        update={
            "items": tuple(
                one.model_copy(update={"impact": Impact.AUTH}) if one.id == LIVE else one
                for one in RUNBOOK.items
            )
        }
    )
    given: dict[str, Any] = {"method": "POST", "credential": "PASSWORD", "accepted": True, **fresh}
    signed_in = result(LIVE, exchanges=(sent(200, "/other"), sent(200, "/sign-in", **given)))
    one = result(
        SIGN_IN, FAILED, failure=K.CREDENTIAL_REFUSED, refusal=Refusal("KEY", RefusalKind.UNKNOWN_SESSION)
    )
    of = attributed(evidence(one, signed_in, runbook=book))
    mine = of.result(SIGN_IN)
    assert mine is not None
    assert (f"while a fresh sign-in works ({LIVE})" in blame(of, mine).why) is ours


def test_the_age_up_to_which_a_baseline_counts_is_named() -> None:
    of = evidence(before=before(age_s=1_000 * 3_600 + 1), commit=NEW, baseline_max_age_h=1_000.0)
    assert why_unusable(of) == "the baseline r1 is 1000 h old, and at most 1000 h count"


@pytest.mark.parametrize("status", [200, 204, 299])
def test_any_good_answer_of_the_service_itself_stands_beside_a_copy(status: int) -> None:
    own = result(HEALTH, exchanges=(sent(status, "/other"),))
    assert after_copies(result(LOOKS, exchanges=(copy(),)), own)[LOOKS].status is PASSED


def test_a_copy_may_be_older_than_the_release_until_its_deployment_had_ended() -> None:
    """The run began at 14:09:58; the deployment began at 14:00 and took five minutes."""

    def status(stored: str, **seen: Any) -> Status:
        record = DeploymentRecord(
            commit=NEW,
            seen_at="",
            runs=(),
            succeeded=None,
            rolled_back=False,
            seen=Deployed(commit=NEW, **seen),
            restored_at="",
            slowdown={},
        )
        known = History(availability=None, deployments=Tally(0, 0, ""), current=record)
        one = sent(200, cached="HIT", stored_at=f"2026-11-23T{stored}+00:00")
        return after_copies(result(HEALTH, exchanges=(one,)), history=known)[HEALTH].status

    took = {"began_at": "2026-11-23T14:00:00+00:00", "duration_s": 300.0}
    assert status("14:04:59", **took) is ERROR
    assert status("14:05:00", **took) is PASSED
    assert status("14:05:00", began_at=took["began_at"]) is ERROR
    assert status("14:05:00") is ERROR
