"""The database: read-only questions to a real PostgreSQL, and every way that a server can fail."""

from __future__ import annotations

import struct
import sys
import traceback
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.postgres.address import read_address
from kamiyo_verify.integrations.postgres.client import DatabaseClient
from kamiyo_verify.integrations.postgres.settings import Database
from kamiyo_verify.integrations.postgres.statements import without_literals
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, OperatorPathFailed, Unverified
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from tests.support.hostile_server import Behaviour, Peer, Server, black_hole, closing, refused_port
from tests.support.sandbox_process import Sandbox, started

PASSWORD = "canary%2Fword"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with started() as running:
        yield running


def client(
    url: str,
    *,
    exchanges: list[Exchange] | None = None,
    statement_timeout_s: float = 5,
    remaining: Callable[[], float] = lambda: 30.0,
) -> DatabaseClient:
    record: list[Exchange] = [] if exchanges is None else exchanges
    table = Database(
        url=Credential(name="DATABASE_URL", value=SecretStr(url)), statement_timeout_s=statement_timeout_s
    )
    timeouts = Timeouts(connect=2, answer=5, item=30)
    return DatabaseClient(table, ClientContext(timeouts, record.append, remaining), production=False)


@pytest.fixture
def database(sandbox: Sandbox) -> Iterator[DatabaseClient]:
    database = client(sandbox.secret("DATABASE_URL"))
    yield database
    database.close()


def test_rows_come_by_name(database: DatabaseClient) -> None:
    assert database.rows("SELECT %s::int AS one, 'x' AS two", [1]) == [{"one": 1, "two": "x"}]


def test_the_connection_is_opened_once_and_named(database: DatabaseClient) -> None:
    who = "SELECT pg_backend_pid() AS pid, current_setting('application_name') AS name"
    first, second = database.rows(who), database.rows(who)
    assert first == second
    assert first[0]["name"] == "kamiyo-verify"
    database.close()
    assert database.rows(who) != first


def test_the_server_itself_refuses_to_write(database: DatabaseClient) -> None:
    assert database.read_only()
    with pytest.raises(NoAnswer, match="refuses to write") as caught:
        database.rows("CREATE TABLE written (a int)")
    assert caught.value.kind is NoAnswerKind.UNUSABLE
    assert database.read_only()


def test_options_of_the_url_do_not_lift_the_restraint(sandbox: Sandbox) -> None:
    url = sandbox.secret("DATABASE_URL")
    lifted = url + ("&" if "?" in url else "?") + "options=-c%20default_transaction_read_only%3Doff"
    database = client(lifted)
    assert database.read_only()
    database.close()


def test_a_slow_statement_ends_by_the_servers_timeout(sandbox: Sandbox) -> None:
    database = client(sandbox.secret("DATABASE_URL"), statement_timeout_s=0.1)
    with pytest.raises(NoAnswer, match="statement timeout") as caught:
        database.rows("SELECT pg_sleep(20)")
    assert caught.value.kind is NoAnswerKind.TIMEOUT
    assert database.read_only()
    database.close()


def test_an_item_out_of_time_hangs_up_and_the_next_question_connects_again(sandbox: Sandbox) -> None:
    left = [30.0]
    database = client(sandbox.secret("DATABASE_URL"), remaining=lambda: left[0])
    assert database.read_only()
    left[0] = 0.1
    with pytest.raises(NoAnswer, match=r"only the 0\.1 s") as caught:
        database.rows("SELECT pg_sleep(20)")
    assert caught.value.kind is NoAnswerKind.UNUSABLE
    left[0] = 30.0
    assert database.read_only()
    database.close()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 'canary' FROM no_such_table", r"error 42P01 \(UndefinedTable\)"),
        ("SELECT 1/0", r"error 22012 \(DivisionByZero\)"),
        ("SELECT 'canary'::int", "22P02"),
        ("SELEKT", "42601"),
    ],
)
def test_an_error_is_told_by_its_code_alone(database: DatabaseClient, sql: str, message: str) -> None:
    with pytest.raises(NoAnswer, match=message) as caught:
        database.rows(sql)
    assert "canary" not in "".join(traceback.format_exception(caught.value)).replace(repr(sql), "")
    assert caught.value.kind is NoAnswerKind.UNUSABLE


def test_migrations_are_read(database: DatabaseClient, sandbox: Sandbox) -> None:
    migrations = database.migrations()
    assert migrations
    assert all(migration.finished_at for migration in migrations)
    with sandbox.fault("migration-failed"):
        [failed] = [migration for migration in database.migrations() if migration.unfinished]
    assert failed.started_at.tzinfo is not None


def test_a_schema_without_the_table_is_unverified_and_the_other_schema_named(sandbox: Sandbox) -> None:
    url = sandbox.secret("DATABASE_URL")
    elsewhere = client(url + ("&" if "?" in url else "?") + "schema=pg_catalog")
    with pytest.raises(Unverified, match=r'in the schema "pg_catalog" \(there is one in "public"'):
        elsewhere.migrations()
    elsewhere.close()


def test_running_statements_are_found_without_their_literals(
    database: DatabaseClient, sandbox: Sandbox
) -> None:
    assert database.slow_queries(60_000) == ()
    found = database.slow_queries(-1.0)
    assert all(query.source in {"pg_stat_statements", "pg_stat_activity"} for query in found)


def test_every_question_is_recorded_without_its_text(sandbox: Sandbox) -> None:
    exchanges: list[Exchange] = []
    database = client(sandbox.secret("DATABASE_URL"), exchanges=exchanges)
    database.rows("SELECT 'canary'")
    database.close()
    [exchange] = exchanges
    assert (exchange.method, exchange.status, exchange.problem) == ("SQL", None, "")
    assert exchange.url.startswith("postgresql://127.0.0.1:")
    assert exchange.url.count("/") == 2
    assert "canary" not in repr(exchange)


def test_a_wrong_password_is_a_credential_and_an_absent_database_too(sandbox: Sandbox) -> None:
    right = read_address(sandbox.secret("DATABASE_URL"), "DATABASE_URL").parameters
    place = f"{right['host']}:{right['port']}"
    for url in (
        f"postgresql://{right['user']}:{PASSWORD}@{place}/{right['dbname']}",
        f"postgresql://nobody_canary:{PASSWORD}@{place}/{right['dbname']}",
    ):
        with pytest.raises(NoAnswer) as caught:
            client(url).read_only()
        assert caught.value.kind is NoAnswerKind.CREDENTIAL
        assert "canary" not in str(caught.value)


def test_a_database_that_is_down_refuses(sandbox: Sandbox) -> None:
    database = client(sandbox.secret("DATABASE_URL"))
    assert database.read_only()
    with sandbox.fault("database-down"), pytest.raises(NoAnswer):
        database.read_only()
    assert database.read_only()
    database.close()


def message(kind: bytes, payload: bytes) -> bytes:
    """One message of PostgreSQL's protocol."""
    return kind + struct.pack("!I", len(payload) + 4) + payload


def refusing(text: str, state: str = "28P01") -> Behaviour:
    """Take the start-up packet, after declining TLS, and answer with an error."""

    def behave(peer: Peer) -> None:
        if struct.unpack("!II", peer.line.recv(65_536)[:8])[1] == 80_877_103:  # SSLRequest
            peer.say(b"N")
            peer.line.recv(65_536)
        fields = f"SFATAL\0VFATAL\0C{state}\0M{text}\0\0"
        peer.say(message(b"E", fields.encode()))

    return behave


def garbage(peer: Peer) -> None:
    peer.line.recv(65_536)
    peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def reset(peer: Peer) -> None:
    peer.line.recv(65_536)
    peer.reset()


def opened_then(*answers: bytes) -> Behaviour:
    """Let everyone in, and answer each question with the next bytes."""

    def behave(peer: Peer) -> None:
        if struct.unpack("!II", peer.line.recv(65_536)[:8])[1] == 80_877_103:
            peer.say(b"N")
            peer.line.recv(65_536)
        peer.say(message(b"R", struct.pack("!I", 0)) + message(b"Z", b"I"))
        for answer in answers:
            peer.line.recv(65_536)
            peer.say(answer)
        peer.hold()

    return behave


BEGUN = message(b"C", b"BEGIN\0") + message(b"Z", b"T")
WRITABLE = (
    message(b"T", b"\0\1transaction_read_only\0" + struct.pack("!IHIHIH", 0, 0, 25, 65_535, 0, 0))
    + message(b"D", b"\0\1" + struct.pack("!I", 3) + b"off")
    + message(b"C", b"SHOW\0")
    + message(b"Z", b"T")
)


SERVERS: dict[str, tuple[Behaviour, NoAnswerKind]] = {
    "password": (
        refusing(f'password authentication failed for user "canary" ({PASSWORD})'),
        NoAnswerKind.CREDENTIAL,
    ),
    "pg_hba": (refusing("no pg_hba.conf entry for canary", "28000"), NoAnswerKind.CREDENTIAL),
    "full": (refusing("sorry, too many clients already", "53300"), NoAnswerKind.REFUSED),
    "starting": (refusing("the database system is starting up", "57P03"), NoAnswerKind.REFUSED),
    "absent": (refusing('database "canary" does not exist', "3D000"), NoAnswerKind.CREDENTIAL),
    "odd": (refusing(f"canary {PASSWORD}", "XX000"), NoAnswerKind.CUT),
    "garbage": (garbage, NoAnswerKind.CUT),
    "reset": (reset, NoAnswerKind.CUT),
    "closing": (closing, NoAnswerKind.CUT),
    "garbage-later": (opened_then(b"garbage"), NoAnswerKind.UNUSABLE),
    "writable": (opened_then(BEGUN, WRITABLE, BEGUN), NoAnswerKind.UNUSABLE),
    "silent-later": (opened_then(b""), NoAnswerKind.TIMEOUT),
}


@pytest.mark.parametrize(("behaviour", "kind"), SERVERS.values(), ids=SERVERS)
def test_every_hostile_server_is_a_problem_of_the_operators_path(
    behaviour: Behaviour, kind: NoAnswerKind
) -> None:
    exchanges: list[Exchange] = []
    with Server(behaviour) as server:
        url = f"postgresql://canary:{PASSWORD}@127.0.0.1:{server.port}/canary_db?sslmode=prefer"
        database = client(url, exchanges=exchanges, statement_timeout_s=0.1)
        with pytest.raises(OperatorPathFailed) as caught:
            database.read_only()
    assert caught.value.kind is kind
    assert str(caught.value).startswith(f"postgresql://127.0.0.1:{server.port} ")
    printable = "".join(traceback.format_exception(caught.value)) + repr(exchanges)
    for canary in ("canary_db", PASSWORD, "canary/word", "canary:"):
        assert canary not in printable.replace(repr(url), "")
    assert exchanges[0].problem == str(caught.value)


def test_nobody_there_and_no_such_name_are_told_apart() -> None:
    for place, kind in (
        (f"127.0.0.1:{refused_port()}", NoAnswerKind.REFUSED),
        ("host.invalid", NoAnswerKind.NAME),
    ):
        with pytest.raises(NoAnswer) as caught:
            client(f"postgresql://u:{PASSWORD}@{place}/d").read_only()
        assert caught.value.kind is kind


@pytest.mark.skipif(sys.platform != "linux", reason="other systems fill a queue differently")
def test_a_black_hole_is_a_timeout() -> None:
    with black_hole() as port, pytest.raises(NoAnswer) as caught:
        client(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/d").read_only()
    assert caught.value.kind is NoAnswerKind.TIMEOUT


@pytest.mark.parametrize(
    "url",
    [
        f"prisma+postgres://u:{PASSWORD}@h/d?api_key=canary",
        f"nonsense {PASSWORD}",
        f"postgresql://u:{PASSWORD}@h:port/d",
        f"postgresql://u:{PASSWORD}@h/d?no_such_option=1",
        f"postgresql://u:{PASSWORD}@[::1/d",
        f"host=h password={PASSWORD} bogus",
        f"postgresql://u:{PASSWORD}%zz@h/d",
        f"postgresql://u:{PASSWORD}\0@h/d",
        f"https://u:{PASSWORD}@h/d",
        "postgresql://u:canary/word@h/d",
        "postgresql://u:4711/canary@h/d",
        "postgresql://u:4711/canary@h",
        "\ud800",
    ],
)
def test_what_is_no_address_is_a_credential_that_is_named_not_shown(url: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        client(url).read_only()
    assert caught.value.kind is NoAnswerKind.CREDENTIAL
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT * FROM t2 WHERE a = 'x''y' AND b = $1", "SELECT * FROM t2 WHERE a = ? AND b = $1"),
        ("SELECT E'it\\'s', 12.5e3, x1", "SELECT ?, ?, x1"),
        ("SELECT $tag$ secret 'it' $tag$, 1", "SELECT ?, ?"),
        ("SELECT 'cut in ha", "SELECT ?"),
        ("SELECT 1 -- the key is 'x\n, 2 /* y */", "SELECT ? , ?"),
        ("SELECT \x1b[31m", "SELECT \\x1b[?m"),
    ],
)
def test_literals_are_left_out_of_statements(statement: str, shown: str) -> None:
    assert without_literals(statement) == shown


@pytest.mark.parametrize("part", ["'", "$a$", "/*", "1.", "$", "''", "\\'", "E'", "--"])
def test_no_statement_takes_long_to_show(part: str) -> None:
    assert len(without_literals(part * 500_000)) <= 300
