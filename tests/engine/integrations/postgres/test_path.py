"""The operators' path to the database: poolers, TLS, names and addresses that the runner cannot reach."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
import trustme
from pydantic import SecretStr

from kamiyo_verify.hooks.outcome import outcome_of
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.control_probe import ControlResult
from kamiyo_verify.integrations.postgres.client import DatabaseClient
from kamiyo_verify.integrations.postgres.settings import Database
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, OperatorPathFailed
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Attribution, DatabaseTls, Status
from tests.support.hostile_server import Behaviour, Peer, Server, closing
from tests.support.pooler_process import pooler
from tests.support.postgres_server import postgres

PASSWORD = "canaryword"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


def client(url: str, *, production: bool = False, tls: DatabaseTls = DatabaseTls.REQUIRED) -> DatabaseClient:
    table = Database(url=Credential(name="DATABASE_URL", value=SecretStr(url)), tls=tls)
    timeouts = Timeouts(connect=2, answer=5, item=30)
    return DatabaseClient(table, ClientContext.unrecorded(timeouts, lambda: 30.0), production=production)


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize(
    "query", ["", "?pgbouncer=true&connection_limit=1", "?options=-c%20search_path%3Dapp"]
)
def test_a_pooler_is_asked_as_the_server_is(server: str, tmp_path: Path, mode: str, query: str) -> None:
    with pooler(server, mode=mode) as address:
        database = client(address + query)
        assert database.read_only()
        assert database.connections().used >= 1
        assert database.slow_queries(60_000) == ()
        for _ in range(12):  # a statement is prepared after five times, unless that is switched off
            assert database.rows("SELECT %s::int AS one", [1]) == [{"one": 1}]
        database.close()


def test_what_we_ask_leaves_nothing_behind_for_the_poolers_other_clients(server: str, tmp_path: Path) -> None:
    with pooler(server) as address:
        ours = client(address + "?options=-c%20search_path%3Dapp")
        assert ours.read_only()
        with psycopg.connect(address, autocommit=True, prepare_threshold=None) as theirs:
            for setting, usual in {
                "default_transaction_read_only": "off",
                "statement_timeout": "0",
                "search_path": '"$user", public',
            }.items():
                assert theirs.execute(f"SHOW {setting}").fetchone() == (usual,)
            theirs.execute("CREATE TABLE IF NOT EXISTS written (a int)")
        ours.close()


def test_a_pooler_in_statement_mode_is_named_with_what_is_needed(server: str, tmp_path: Path) -> None:
    with (
        pooler(server, mode="statement") as address,
        pytest.raises(OperatorPathFailed, match="DATABASE_URL needs the direct address"),
    ):
        client(address).read_only()


def test_start_up_options_of_the_process_environment_are_not_sent(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c geqo=off")
    with pooler(server) as address:
        database = client(address)
        assert database.read_only()
        database.close()


def test_a_pooler_whose_server_is_away_is_told_apart(server: str, tmp_path: Path) -> None:
    gone = psycopg.conninfo.make_conninfo(server, port=str(_refused_port()))
    with pooler(gone) as address, pytest.raises(OperatorPathFailed) as caught:
        client(address).read_only()
    assert "pooler" in str(caught.value) or caught.value.kind is NoAnswerKind.TIMEOUT


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_in_production_the_certificate_is_verified_by_the_authority_of_the_address(
    server: str, authority: trustme.CA, tmp_path: Path
) -> None:
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(pem)
    with pooler(server, authority=authority) as address:
        database = client(f"{address}?sslmode=verify-full&sslrootcert={pem}", production=True)
        assert database.server_identity() == "verified: certificate and name"
        database.close()
        database = client(f"{address}?sslrootcert={pem}", production=True)
        assert database.server_identity().startswith("verified: certificate")
        database.close()


def test_a_system_authority_is_found_by_itself(
    server: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with pooler(server, authority=authority) as address:
        database = client(address, production=True)
        assert database.server_identity() == "verified: certificate and name"
        database.close()


@pytest.mark.parametrize(
    "query", ["", "?sslmode=require", "?sslmode=disable", "?sslmode=prefer", "?ssl=true"]
)
def test_without_a_known_authority_the_connection_is_encrypted_and_the_report_says_so(
    server: str, authority: trustme.CA, tmp_path: Path, query: str
) -> None:
    with pooler(server, authority=authority) as address:
        database = client(address + query, production=True)
        assert database.server_identity().startswith("not verified: encrypted")
        assert database.read_only()
        database.close()


def test_an_authority_that_is_named_and_does_not_vouch_ends_the_connection(
    server: str, authority: trustme.CA, tmp_path: Path
) -> None:
    pem = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(pem)
    with (
        pooler(server, authority=authority) as address,
        pytest.raises(OperatorPathFailed, match="sslrootcert") as caught,
    ):
        client(f"{address}?sslrootcert={pem}", production=True).read_only()
    assert caught.value.kind is NoAnswerKind.TLS


def test_an_authority_whose_file_is_not_here_is_named(server: str, authority: trustme.CA) -> None:
    with (
        pooler(server, authority=authority) as address,
        pytest.raises(OperatorPathFailed, match="sslrootcert of DATABASE_URL names is not on this machine"),
    ):
        client(f"{address}?sslcert=./prisma/no-such-ca.pem&sslmode=require", production=True).read_only()


def test_a_certificate_for_another_name_is_told_apart(
    server: str, authority: trustme.CA, tmp_path: Path
) -> None:
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(pem)
    with pooler(server, authority=authority) as address:
        elsewhere = address.replace("127.0.0.1", "localhost")
        with pytest.raises(OperatorPathFailed, match="for another name than the host of DATABASE_URL"):
            client(f"{elsewhere}?sslmode=verify-full&sslrootcert={pem}", production=True).read_only()


_TABLE = """
    CREATE TABLE {}._prisma_migrations (
        id varchar(36), checksum varchar(64), finished_at timestamptz, migration_name varchar(255), logs text,
        rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer
    )
"""


@pytest.mark.parametrize(
    ("query", "name"), [("", "of_public"), ("?schema=public", "of_public"), ("?schema=odd%22Name", "of_odd")]
)
def test_migrations_are_those_of_prismas_schema_whatever_the_search_path(
    server: str, query: str, name: str
) -> None:
    user = psycopg.conninfo.conninfo_to_dict(server)["user"]
    with psycopg.connect(server, autocommit=True) as owner:
        for schema, row in ((user, "of_role"), ("public", "of_public"), ('odd"Name', "of_odd")):
            named = psycopg.sql.Identifier(str(schema))
            owner.execute(psycopg.sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(named))
            owner.execute(psycopg.sql.SQL("DROP TABLE IF EXISTS {}._prisma_migrations").format(named))
            owner.execute(psycopg.sql.SQL(_TABLE).format(named))
            owner.execute(
                psycopg.sql.SQL("INSERT INTO {}._prisma_migrations VALUES ('1', 'c', now(), %s)").format(
                    named
                ),
                [row],
            )
    database = client(server + query)
    [found] = database.migrations()
    assert (found.name, found.steps, found.applied) == (name, 1, True)
    database.close()


SSL_REQUEST = 80_877_103


def refusing_tls(heard: list[bytes]) -> Behaviour:
    """Decline TLS, and keep whatever comes after."""

    def behave(peer: Peer) -> None:
        first = peer.line.recv(65_536)
        if struct.unpack("!II", first[:8])[1] == SSL_REQUEST:
            peer.say(b"N")
            first = peer.line.recv(65_536)
        while first:
            heard.append(first)
            # AuthenticationCleartextPassword: whoever answers, shows it
            peer.say(b"R" + struct.pack("!II", 8, 3))
            first = peer.line.recv(65_536)

    return behave


@pytest.mark.parametrize(
    "query", ["", "?sslmode=disable", "?sslmode=prefer", "?sslmode=allow", "?sslmode=no-verify"]
)
def test_in_production_no_password_goes_to_a_server_that_refuses_tls(query: str) -> None:
    heard: list[bytes] = []
    with Server(refusing_tls(heard)) as hostile:
        url = f"postgresql://u:{PASSWORD}@127.0.0.1:{hostile.port}/d{query}"
        with pytest.raises(
            OperatorPathFailed, match=r'refuses TLS, so the password was not sent.*"insecure"'
        ) as caught:
            client(url, production=True).read_only()
    assert caught.value.kind is NoAnswerKind.TLS
    assert PASSWORD.encode() not in b"".join(heard)


def test_less_than_tls_needs_the_word_insecure() -> None:
    heard: list[bytes] = []
    with Server(refusing_tls(heard)) as hostile:
        url = f"postgresql://u:{PASSWORD}@127.0.0.1:{hostile.port}/d"
        with pytest.raises(OperatorPathFailed):
            client(url, production=True, tls=DatabaseTls.INSECURE).read_only()
    assert PASSWORD.encode() in b"".join(heard)


def test_without_tls_the_report_says_so(server: str) -> None:
    database = client(server, production=True, tls=DatabaseTls.INSECURE)
    assert database.server_identity() == "not verified: the connection is not encrypted"
    database.close()


def breaking_tls(peer: Peer) -> None:
    peer.line.recv(65_536)
    peer.say(b"S")
    peer.line.recv(65_536)
    peer.say(b"not a handshake")


def refusing(text: str, state: str) -> Behaviour:
    def behave(peer: Peer) -> None:
        if struct.unpack("!II", peer.line.recv(65_536)[:8])[1] == SSL_REQUEST:
            peer.say(b"N")
            peer.line.recv(65_536)
        fields = f"SFATAL\0VFATAL\0C{state}\0M{text}\0\0".encode()
        peer.say(b"E" + struct.pack("!I", len(fields) + 4) + fields)

    return behave


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (closing, "IP allow list"),
        (breaking_tls, "does not answer as PostgreSQL does"),
        (
            refusing("unsupported startup parameter: options", "08P01"),
            "pooler that refuses a start-up parameter",
        ),
        (
            refusing("unsupported startup parameter in options: x", "08P01"),
            "start-up parameter of DATABASE_URL",
        ),
        (refusing("Tenant or user not found", "XX000"), "project or branch"),
        (refusing("Endpoint ID is not specified. Either please upgrade", "08P01"), "project or branch"),
        (
            refusing("server login has been failing, try again later", "08P01"),
            "cannot reach its own database",
        ),
        (refusing("query_wait_timeout", "08P01"), "cannot reach its own database"),
        (refusing("no more connections allowed (max_client_conn)", "08P01"), "no further connections"),
        (refusing("Max client connections reached", "XX000"), "no further connections"),
        (
            refusing(
                'no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", no encryption', "28000"
            ),
            "sslmode=require",
        ),
        (
            refusing(
                'no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", SSL encryption', "28000"
            ),
            "allow list",
        ),
        (refusing("connection is insecure (try using `sslmode=require`)", "28000"), "sslmode=require"),
        (refusing("no such database: d", "3D000"), "no database of the name"),
        (refusing("no such user: u", "28P01"), "refuses the user or the password of DATABASE_URL"),
    ],
    ids=count(),
)
def test_each_obstacle_on_the_way_is_our_own_side_and_named(behaviour: Behaviour, told: str) -> None:
    with Server(behaviour) as hostile, pytest.raises(OperatorPathFailed, match=told) as caught:
        client(f"postgresql://u:{PASSWORD}@127.0.0.1:{hostile.port}/d").read_only()
    assert_our_own_side(caught.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u:p@dpg-d1a2b3c4e5f6g7h8i9j0-a/kamiyo", "Render's internal name"),
        ("postgresql://u:p@postgres.railway.internal/railway", "DATABASE_PUBLIC_URL"),
        ("postgresql://u:p@postgres.default.svc.cluster.local/d", "Kubernetes"),
        ("postgresql://u:p@no-such-host-of-docker/d", "without a domain"),
        ("postgresql:///d?host=/no/such/folder&user=u", "socket on the machine"),
    ],
)
def test_a_name_that_only_the_inside_knows_is_explained(url: str, told: str) -> None:
    with pytest.raises(OperatorPathFailed, match=told) as caught:
        client(url, production=True).read_only()
    assert_our_own_side(caught.value)


def test_a_pooler_that_is_away_is_named_with_the_way_round_it() -> None:
    url = f"postgresql://u:p@pgbouncer.invalid:{_refused_port()}/d"
    with pytest.raises(
        OperatorPathFailed, match=r"leads to a pooler: the direct one may be reached \(DATABASE_URL\)"
    ):
        client(url).read_only()


def test_several_hosts_are_tried_in_turn(server: str) -> None:
    told = psycopg.conninfo.conninfo_to_dict(server)
    database = client(
        f"postgresql://{told['user']}:{told['password']}@127.0.0.1:{_refused_port()},127.0.0.1:{told['port']}"
        f"/{told['dbname']}"
    )
    assert database.read_only()
    database.close()


def assert_our_own_side(problem: NoAnswer) -> None:
    """However well the rest of the network is, this is no failure of the platform."""

    def network() -> ControlResult:
        raise AssertionError("the control addresses say nothing of this path")

    outcome = outcome_of(problem, network, proven_at_once=True)
    assert (outcome.status, outcome.attribution) == (Status.ERROR, Attribution.PROBER)


def _refused_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
