"""What bodies of errors show of the inside, as people report it.

Each case is named by the public report that it comes from.
"""

from __future__ import annotations

import json

import pytest

from kamiyo_verify.http.leaks import leak_in
from tests.platform.test_access import came

Report = pytest.param


def detail(text: str) -> str:
    return json.dumps({"detail": text})


@pytest.mark.parametrize(
    "body",
    [
        Report(
            detail(
                "(psycopg2.DataError) invalid input syntax for type timestamp\\nLINE 4: ...events.deleted_at"
                " IS NULL\\n [SQL: 'SELECT count(*) AS count_1 FROM (SELECT events.id AS events_id"
            ),
            id="fossasia/open-event-server#3933",
        ),
        Report(
            detail("(psycopg2.OperationalError) SSL SYSCALL error [SQL: SELECT copy_job.id AS x]"),
            id="FredHutch/motuz#317",
        ),
        Report(
            'Traceback (most recent call last):\n  File "/app/.venv/lib/python3.12/site-packages/starlette'
            '/middleware/errors.py", line 164, in __call\n    await self.app(scope, receive, _send)',
            id="fastapi/fastapi#16254",
        ),
        Report(
            json.dumps(
                {"detail": "Internal server error", "error": 'invalid input syntax for type uuid: "x"'}
            ),
            id="prassanna-ravishankar/a2a-registry#140",
        ),
        Report(
            detail(
                "[ERROR: Cannot connect to host 10.0.1.25:7860 [Connect call failed ('10.0.1.25', 7860)]]"
            ),
            id="open-webui/open-webui#26374, an address",
        ),
        Report(
            detail(
                "HTTPConnectionPool(host='reranker.corp.internal', port=8080): Max retries exceeded (Caused"
                " by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f3a2c1d4b50>: Failed"
            ),
            id="open-webui/open-webui#26374, a host",
        ),
        Report(
            detail("[ERROR: [Errno 28] No space left on device: '/app/backend/data/uploads/audio.wav']"),
            id="open-webui/open-webui#26374, a path",
        ),
        Report(
            detail("scan failed: could not connect to postgres://scanner@db.example/scan"),
            id="liwala/ay-framework#193",
        ),
        Report(
            detail('(sqlalchemy.exc.ProgrammingError) relation "backtests" does not exist'),
            id="Kaoruha/GinkGO#5567",
        ),
        Report(
            detail("[Errno 2] No such file or directory: '/srv/cognee/.data/x'"), id="topoteretes/cognee#3240"
        ),
        Report(detail('relation "exploits" does not exist'), id="a table's name"),
        Report(
            detail('duplicate key value violates unique constraint "users_email_key"'),
            id="a constraint's name",
        ),
        Report("getaddrinfo ENOTFOUND postgres.railway.internal:5432", id="supabase/supavisor#314"),
        Report("connect to redis.default.svc:6379 failed", id="a cluster's name"),
        Report(detail("permission denied for table users"), id="a grant that lacks"),
    ],
)
def test_an_error_that_shows_the_inside_is_found(body: str) -> None:
    assert leak_in(came(500, body.encode()))


@pytest.mark.parametrize(
    "body",
    [
        Report(detail("internal scan error"), id="liwala/ay-framework#193, mended"),
        Report(
            json.dumps({"detail": "Internal server error", "request_id": "8f1c2d3e"}),
            id="a2a-registry#140, mended",
        ),
        Report(detail("Invalid date: 2017-07fff-01"), id="a message for the user"),
        Report("<html><body><h1>504 Gateway Time-out</h1><hr>nginx/1.25.3</body></html>", id="an edge"),
        Report(detail("No such file in this release"), id="a file of the user's"),
        Report(detail("Permission denied for this document"), id="a permission of the user's"),
        Report(detail("Your input violates our unique rules"), id="words alone"),
        Report("<p>Write to us at support.internal</p>", id="a name without a port"),
        Report(detail("This relation does not exist any more"), id="a word of the platform's"),
    ],
)
def test_an_error_that_says_nothing_of_the_inside_is_no_leak(body: str) -> None:
    assert leak_in(came(500, body.encode())) == ""
