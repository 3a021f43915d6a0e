"""Addresses of databases as people report them: internal names, poolers, parameters of other drivers.

Each case is named by the public report that it comes from. What cannot be reached from here is our own side
of the connection: never the platform's failure, and never the password's unless the server says so.
"""

from __future__ import annotations

import struct

import psycopg
import pytest
from pydantic import SecretStr

from kamiyo_verify.hooks.outcome import outcome_of
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.control_probe import ControlResult
from kamiyo_verify.integrations.postgres.address import read_address
from kamiyo_verify.integrations.postgres.client import DatabaseClient
from kamiyo_verify.integrations.postgres.problems import operator_path_failure
from kamiyo_verify.integrations.postgres.reach import advice, pooler
from kamiyo_verify.integrations.postgres.settings import Database
from kamiyo_verify.model.outcomes import NoAnswerKind, OperatorPathFailed
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Attribution, Status
from tests.support.hostile_server import Behaviour, Peer, Server

Report = pytest.param
SSL_REQUEST = 80_877_103
IPV6_ALONE = ("2600:1f1e:75b:4b01:317e:2906:b007:5fab",)


def database(url: str) -> DatabaseClient:
    table = Database(url=Credential(name="DATABASE_URL", value=SecretStr(url)))
    return DatabaseClient(
        table,
        ClientContext.unrecorded(Timeouts(connect=2, answer=2, item=10), lambda: 10.0),
        production=False,
    )


def assert_our_own_side(problem: OperatorPathFailed) -> None:
    """However well the rest of the network is, this is no failure of the platform."""

    def network() -> ControlResult:
        raise AssertionError("the control addresses say nothing of this path")

    found = outcome_of(problem, network, proven_at_once=True)
    assert (found.status, found.attribution) == (Status.ERROR, Attribution.PROBER)


@pytest.mark.parametrize(
    ("url", "resolved", "problem", "kind", "told"),
    [
        Report(
            "postgresql://postgres:p@db.abcdefgh.supabase.co:5432/postgres",
            ("2406:da14:271:9903:c1bf:5f4c:ff8a:9e0c",),
            psycopg.OperationalError("connection failed: No route to host"),
            NoAnswerKind.UNREACHABLE,
            "IPv6 addresses only",
            id="supabase/cli#3318",
        ),
        Report(
            "postgresql://n8n_user:p@db.abcdefgh.supabase.co:5432/postgres",
            IPV6_ALONE,
            psycopg.OperationalError(
                f'connection to server at "{IPV6_ALONE[0]}", port 5432 failed: Network is unreachable'
            ),
            NoAnswerKind.UNREACHABLE,
            "IPv6 addresses only",
            id="n8n-io/n8n#15239",
        ),
        Report(
            "postgresql://u:p@dpg-cq1a2b3c4e5f6g7h8i9j-a/d",
            (),
            psycopg.OperationalError("could not translate host name to address: Name or service not known"),
            NoAnswerKind.NAME,
            "Render's internal name",
            id="porsager/postgres#929",
        ),
        Report(
            "postgresql://u:p@postgres.my-app.internal:5432/d",
            (),
            psycopg.OperationalError("could not translate host name to address: Name or service not known"),
            NoAnswerKind.NAME,
            "an internal name",
            id="supabase/supavisor#314",
        ),
        Report(
            "postgresql://u:p@tandoor_db/d",
            (),
            psycopg.OperationalError('could not translate host name "tandoor_db" to address'),
            NoAnswerKind.NAME,
            "Docker",
            id="David-Crty/databasement#176",
        ),
        Report(
            "postgresql://postgres:p@host.docker.internal:5432/postgres?sslmode=disable",
            (),
            psycopg.OperationalError('could not translate host name "host.docker.internal" to address'),
            NoAnswerKind.NAME,
            "inside a container",
            id="microsoft/vscode-pgsql#206",
        ),
        Report(
            "postgresql://my_user:p@10.10.10.194:5432/my_db",
            (),
            psycopg.OperationalError(
                "server closed the connection unexpectedly\n\tThis probably means the server terminated"
            ),
            NoAnswerKind.CUT,
            "IP allow list.*private network",
            id="r-dbi/RPostgres#406",
        ),
        Report(
            "postgresql://u:p@x-0.b.db.ondigitalocean.com:25061/pool",
            (),
            psycopg.OperationalError("timeout expired"),
            NoAnswerKind.TIMEOUT,
            "leads to a pooler .DigitalOcean",
            id="prisma/orm#6157",
        ),
    ],
)
def test_an_address_that_is_not_reached_from_here_is_explained(
    url: str, resolved: tuple[str, ...], problem: Exception, kind: NoAnswerKind, told: str
) -> None:
    address = read_address(url, "DATABASE_URL")
    hint = advice(address, resolved) or f"the address leads to {pooler(address)}"
    failure = operator_path_failure(problem, address.shown, 1.0, name="DATABASE_URL", advice=hint)
    assert failure.kind is kind
    with pytest.raises(OperatorPathFailed, match=f"(?s){told}"):
        raise failure
    assert failure.refusal is None
    assert_our_own_side(failure)


def refusing(text: str, state: str) -> Behaviour:
    def behave(peer: Peer) -> None:
        if struct.unpack("!II", peer.line.recv(65_536)[:8])[1] == SSL_REQUEST:
            peer.say(b"N")
            peer.line.recv(65_536)
        fields = f"SFATAL\0VFATAL\0C{state}\0M{text}\0\0".encode()
        peer.say(b"E" + struct.pack("!I", len(fields) + 4) + fields)

    return behave


def letting_in(peer: Peer) -> None:
    """Let everyone in without a password, as a proxy without channel binding does."""
    if struct.unpack("!II", peer.line.recv(65_536)[:8])[1] == SSL_REQUEST:
        peer.say(b"N")
        peer.line.recv(65_536)
    peer.say(b"R" + struct.pack("!II", 8, 0))
    peer.hold()


@pytest.mark.parametrize(
    ("behaviour", "query", "told"),
    [
        Report(
            refusing("unsupported startup parameter: search_path", "08P01"),
            "",
            "start-up parameter",
            id="pgbouncer/pgbouncer#482",
        ),
        Report(
            refusing("unsupported startup parameter in options: lock_timeout", "08P01"),
            "",
            "start-up parameter",
            id="neondatabase/neon#6291",
        ),
        Report(
            refusing(
                "unsupported startup parameter in options: client-encoding. Please use unpooled connection or"
                " remove this parameter from the startup package.",
                "08P01",
            ),
            "",
            "start-up parameter",
            id="databasus/databasus#46",
        ),
        Report(
            refusing("unsupported startup parameter: statement_timeout", "08P01"),
            "",
            "start-up parameter",
            id="pgsty/pigsty#488",
        ),
        Report(
            refusing(
                "Feature not supported: RDS Proxy currently doesn’t support command-line options.", "0A000"
            ),
            "",
            "start-up parameter",
            id="apache/superset#24684",
        ),
        Report(letting_in, "?channel_binding=require", "channel binding", id="neondatabase/neon#2350"),
        Report(letting_in, "?require_auth=scram-sha-256", "require_auth", id="kind: require_auth"),
        Report(
            refusing('no pg_hba.conf entry for host "1.2.3.4", user "x", database "x", SSL off', "28000"),
            "",
            "sslmode=require",
            id="alexandrainst/node-red-contrib-postgresql#67",
        ),
    ],
)
def test_what_a_pooler_or_proxy_refuses_is_never_taken_for_a_wrong_password(
    behaviour: Behaviour, query: str, told: str
) -> None:
    with Server(behaviour) as hostile, pytest.raises(OperatorPathFailed, match=told) as caught:
        database(f"postgresql://u:p@127.0.0.1:{hostile.port}/d{query}").read_only()
    assert caught.value.refusal is None
    assert "password" not in str(caught.value)
    assert_our_own_side(caught.value)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        Report("jdbc:postgresql://h:6432/d?user=u&currentSchema=app", {}, id="pgbouncer/pgbouncer#482"),
        Report(
            "postgresql://u:p@h/d?options=-c%20search_path%3Dnew_schema",
            {"search_path": "new_schema"},
            id="pgbouncer/pgbouncer#1176",
        ),
        Report("postgresql://u:p@h/d?options=-c%20statement_timeout%3D30000", {}, id="n8n-io/n8n#25705"),
        Report("postgresql://u:p@h/d?options=-c%20client_encoding%3DUTF8", {}, id="PostHog/posthog#64015"),
        Report("postgresql://u:p@h/d?replication=database", {}, id="neondatabase/neon#6291"),
        Report(
            "postgresql://u:p@h/d?search_path=authentik",
            {"search_path": "authentik"},
            id="goauthentik/authentik#19939",
        ),
    ],
)
def test_nothing_that_a_pooler_refuses_is_sent_at_start_up(text: str, settings: dict[str, str]) -> None:
    address = read_address(text, "DATABASE_URL")
    assert address.parameters.keys() <= {"host", "port", "dbname", "user", "password"}
    assert address.settings == settings


@pytest.mark.parametrize(
    ("text", "schema", "dropped"),
    [
        Report(
            "postgres://u:p@h:6543/postgres?schema=mySchema&pgbouncer=true&connection_limit=1",
            "mySchema",
            ("connection_limit", "pgbouncer"),
            id="prisma/orm#25273",
        ),
        Report(
            "postgresql://u:p@h:5432/d?schema=public&pgbouncer=true&sslmode=require",
            "public",
            ("pgbouncer",),
            id="prisma/orm#4752",
        ),
        Report("postgresql://u:p@h/d?schema=my-schema$prod", "my-schema$prod", (), id="prisma/orm#2983"),
        Report(
            "postgresql://u:p@h:5432/d?serverVersion=11&charset=utf8",
            "public",
            ("charset", "serverversion"),
            id="doctrine/DoctrineBundle#1389",
        ),
        Report(
            "postgresql://u:p@h:5432/d?serverVersion=12.19 (Debian 12.19-1.pgdg120+1)&charset=utf8",
            "public",
            ("charset", "serverversion"),
            id="symfony/symfony-docs#19877",
        ),
        Report("ecto://u:p@h/d?currentSchema=default", "default", (), id="elixir-ecto/ecto#2959"),
        Report("ECTO://u:p@h/d", "public", (), id="remcostoeten/dora#256"),
        Report("pgsql://u:p@h/d", "public", (), id="jazzband/dj-database-url#13"),
        Report("postgres+psycopg2://u:p@h/d", "public", (), id="dwreeves/Flask-Postgres#1"),
        Report(
            "postgresql+asyncpg://u:p@h/d?sslmode=require&ssl=require",
            "public",
            ("ssl",),
            id="MagicStack/asyncpg#737",
        ),
    ],
)
def test_parameters_and_schemes_of_other_drivers_are_read(
    text: str, schema: str, dropped: tuple[str, ...]
) -> None:
    address = read_address(text, "DATABASE_URL")
    assert address.parameters["host"] == "h"
    assert address.parameters["dbname"] in {"d", "postgres"}
    assert (address.schema, address.dropped) == (schema, dropped)


def test_a_database_url_that_only_prismas_client_can_use_is_refused_by_name() -> None:
    """prisma/orm#27292."""
    with pytest.raises(OperatorPathFailed, match=r"Prisma Accelerate.*direct postgres://"):
        read_address("prisma+postgres://accelerate.prisma-data.net/?api_key=canary", "DATABASE_URL")


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        Report("sslmode=REQUIRE", "require", id="a driver that ignores case"),
        Report("ssl-mode=verify-full", "verify-full", id="brianc/node-postgres#2442"),
        Report("ssl-mode=require&ssl-root-cert=ca.pem", "require", id="sqlx"),
        Report("sslmode=", None, id="an empty variable"),
    ],
)
def test_the_tls_that_an_address_asks_for_is_kept_in_every_spelling(query: str, mode: str | None) -> None:
    address = read_address(f"postgresql://u:p@h/d?{query}", "DATABASE_URL")
    assert address.parameters.get("sslmode") == mode
    assert ("ssl-root-cert" in query) is (address.parameters.get("sslrootcert") == "ca.pem")


@pytest.mark.parametrize(
    "query",
    [
        Report("sslmode=enable", id="hasura/graphql-engine#1381"),
        Report("sslmode=disabled", id="mxssl/wait-for-pg#1"),
        Report("sslmode=nosense", id="mxssl/wait-for-pg#1, another"),
        Report("ssl-mode=on", id="kind: sqlx"),
    ],
)
def test_tls_in_a_word_of_nobody_is_refused_and_not_weakened(query: str) -> None:
    with pytest.raises(OperatorPathFailed, match=r"sslmode.*verify-full") as caught:
        read_address(f"postgresql://u:canary@h/d?{query}", "DATABASE_URL")
    assert "canary" not in str(caught.value)


def test_a_parameter_in_another_case_is_named_with_the_one_that_exists() -> None:
    """porsager/postgres#177: `sslMode` is ignored there, and `sslmode` is not."""
    with pytest.raises(OperatorPathFailed, match=r'"sslMode" .did you mean "sslmode"'):
        read_address("postgresql://u:p@h/d?sslMode=disable", "DATABASE_URL")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("target_session_attrs=rw", "a value that PostgreSQL's own library does not take"),
        ("gssencmode=x", "a value that PostgreSQL's own library does not take"),
        ("sslnegotiation=direct&sslmode=prefer", "a value that PostgreSQL's own library does not take"),
    ],
)
def test_a_value_that_libpq_refuses_is_no_server_that_broke_off(query: str, told: str) -> None:
    with pytest.raises(OperatorPathFailed, match=told) as caught:
        database(f"postgresql://u:p@127.0.0.1:1/d?{query}").read_only()
    assert caught.value.kind is NoAnswerKind.CREDENTIAL
    assert_our_own_side(caught.value)
