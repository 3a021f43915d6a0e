"""Section 5: monitoring works, and somebody is on call."""

import pytest


@pytest.mark.item("preflight.sentry-dsn")
@pytest.mark.needs("sentry.token")
def test_every_sentry_dsn_is_a_live_one_of_ours(sentry_dsn_problems):
    """Each DSN, here and on Render, is valid, belongs to one of our projects, and is active."""
    assert not sentry_dsn_problems, "; ".join(sentry_dsn_problems)


@pytest.mark.item("preflight.health-endpoints")
@pytest.mark.parametrize(("service", "path"), [("api", "/health"), ("frontend", "/")])
def test_the_health_addresses_answer_before_anything_is_changed(get, service, path, measure):
    """`GET /health` of the API and `GET /` of the frontend are 200."""
    answer = get(service, path)

    measure(f"{service}_answered", answer.status)
    assert answer.status == 200, answer.mismatch("200 before the deployment begins")


@pytest.mark.item("preflight.prometheus")
def test_metrics_are_served(prometheus, measure):
    """The metrics address is 200 with at least one metric in Prometheus' text format."""
    families = prometheus.families()

    measure("families", len(families), "count")
    assert families, "the metrics address is empty: every dashboard is blank"


@pytest.mark.item("preflight.on-call")
@pytest.mark.needs("pagerduty.token")
def test_somebody_is_on_call_all_day(rota, measure):
    """Every schedule is covered for each of the next 24 hours."""
    gaps = [f"{name} from {gap.start:%a %H:%M} to {gap.end:%a %H:%M}" for name, gap in rota.all_gaps]

    measure("on_call", ", ".join(person.name for person in rota.people))
    assert not gaps, f"nobody is on call (times in UTC): {', '.join(gaps)}"


@pytest.mark.item("preflight.contacts-complete")
def test_everyone_who_is_called_can_be_reached(unreachable):
    """Everyone on call or in the runbook's escalation has an email address and a phone number."""
    assert not unreachable, "; ".join(unreachable)


@pytest.mark.item("preflight.suppliers-operational")
@pytest.mark.parametrize("supplier", ["render", "stripe", "sentry"])
def test_our_suppliers_report_no_incident(supplier_page, supplier, measure):
    """No page has an indicator other than "none", or an incident whose cause is still active."""
    page = supplier_page(supplier)

    measure(f"{supplier}_says", page.status.description)
    measure(f"{supplier}_reports", ", ".join(page.events))
    assert not page.troubles, f"{supplier} reports {', '.join(page.troubles)}"
    assert page.settled()
