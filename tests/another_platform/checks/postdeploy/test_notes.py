"""After: people get at their notes."""

import pytest


@pytest.mark.item("postdeploy.api-up")
def test_the_api_says_that_it_is_up(api, measure):
    """`GET /up` is 200."""
    answer = api.get("/up")

    measure("response_time", answer.elapsed_ms, "ms")
    assert answer.status == 200, answer.mismatch("200")


@pytest.mark.item("postdeploy.notes-listed")
def test_the_notes_are_listed(api, measure):
    """`GET /notes` lists at least one note."""
    notes = api.get("/notes").json()

    measure("notes", len(notes), "count")
    assert notes, "no note is listed where at least one was expected: people's notes are gone"


@pytest.mark.item("postdeploy.website-loads")
def test_the_website_loads(frontend, environment):
    """`GET /` is a page with our title."""
    page = frontend.page("/")

    title = environment.frontend.title
    assert title in page.title, f'the page is titled "{page.title}", not "{title}"'
