"""PostgreSQL connection strings, in the forms that platforms and drivers write."""

from __future__ import annotations

import pytest

from kamiyo_verify.integrations.postgres.address import DatabaseAddress, read_address
from kamiyo_verify.integrations.postgres.reach import advice, internal, pooler
from kamiyo_verify.model.outcomes import NoAnswerKind, OperatorPathFailed

USUAL = {"user": "u", "password": "p", "host": "h.example", "port": "5432", "dbname": "d"}


def read(text: str) -> DatabaseAddress:
    return read_address(text, "DATABASE_URL")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:p@h.example:5432/d",
        "postgres://u:p@h.example:5432/d",
        "postgresql+psycopg://u:p@h.example:5432/d",
        "postgresql+asyncpg://u:p@h.example:5432/d?prepared_statement_cache_size=0",
        "postgis://u:p@h.example:5432/d",
        "pgsql://u:p@h.example:5432/d",
        "jdbc:postgresql://h.example:5432/d?user=u&password=p&prepareThreshold=0&reWriteBatchedInserts=true",
        "host=h.example port=5432 dbname=d user=u password=p",
        "host='h.example' port = 5432 dbname=d user='u' password='p' connection_limit=5",
        'DATABASE_URL="postgresql://u:p@h.example:5432/d"',
        "'postgresql://u:p@h.example:5432/d'",
        "psql 'postgresql://u:p@h.example:5432/d'",
        " postgresql://u:p@h.example:5432/d\n",
        "postgresql://u:p@h.example:5432/d?pgbouncer=true&connection_limit=1",
        "postgresql://u:p@h.example:5432/d?schema=public&pool_timeout=20&socket_timeout=10",
        "postgresql://u:p@h.example:5432/d?uselibpqcompat=true",
        "postgresql://u:p@h.example:5432/d?ssl=false&max=20&idleTimeoutMillis=3000",
        "postgresql://u:p@h.example:5432/d?supa=base-pooler.x",
        "postgresql://u:p@h.example:5432/d?pool_max_conns=10&default_query_exec_mode=simple_protocol",
        "postgresql://u:p@h.example:5432/d?conn_max_age=600",
        "postgresql://u:p@h.example:5432/d?pool=5&prepared_statements=false",
        "postgresql://u:p@h.example:5432/d?statement_timeout=5000&TimeZone=UTC",
    ],
)
def test_every_driver_form_leads_to_the_same_place(text: str) -> None:
    assert read(text).parameters == USUAL


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("postgresql://u:p%40s%2Fs%23@h/d?pgbouncer=true", {"password": "p@s/s#"}),
        ("postgresql://u:p#s?s=1@h/d?pgbouncer=true", {"password": "p#s?s=1"}),
        (
            "postgresql://u:p+s@h/d?schema=a&application_name=a+b",
            {"password": "p+s", "application_name": "a+b"},
        ),
        ("postgresql://u:p@[2001:db8::1]:5433/d", {"host": "2001:db8::1", "port": "5433"}),
        (
            "postgresql://u:p@a:5432,b:5433/d?target_session_attrs=read-write",
            {"host": "a,b", "port": "5432,5433"},
        ),
        ("postgresql+psycopg2://u:p@/d?host=a:5432&host=b:5433", {"host": "a,b", "port": "5432,5433"}),
        ("postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/d", {"host": "/var/run/postgresql"}),
        (
            "postgresql:///d?host=/cloudsql/project:region:instance&user=u",
            {"host": "/cloudsql/project:region:instance"},
        ),
        ("postgresql://u:p@h/d?sslmode=no-verify", {"sslmode": "require"}),
        ("postgresql://u:p@h/d?ssl=true", {"sslmode": "require"}),
        ("postgresql+asyncpg://u:p@h/d?ssl=verify-full", {"sslmode": "verify-full"}),
        ("postgresql://u:p@h/d?sslmode=require&sslaccept=strict", {"sslmode": "verify-full"}),
        ("postgresql://u:p@h/d?sslaccept=accept_invalid_certs&sslmode=require", {"sslmode": "require"}),
        ("postgresql://u:p@h/d?sslcert=ca.pem", {"sslrootcert": "ca.pem"}),
        ("postgresql://u:p@h/d?sslcert=me.pem&sslkey=me.key", {"sslcert": "me.pem", "sslkey": "me.key"}),
        ("postgresql://u:p@h/d?options=project%3Dabc", {"options": "project=abc"}),
        ("postgresql://u:p@h/d?options=endpoint%3Dep-x-1", {"options": "endpoint=ep-x-1"}),
        ("postgresql://u:p@h/d?options=--cluster%3Dlazy-cat-12", {"options": "--cluster=lazy-cat-12"}),
        ("postgres://u.ref:p@aws-0-eu.pooler.supabase.com:6543/postgres", {"user": "u.ref", "port": "6543"}),
    ],
)
def test_what_a_form_says_is_kept(text: str, found: dict[str, str]) -> None:
    assert found.items() <= read(text).parameters.items()


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (
            "postgresql://u:p@h/d?options=-c%20search_path%3Dapp%20-c%20statement_timeout%3D5s",
            {"search_path": "app"},
        ),
        ("postgresql://u:p@h/d?options=--search-path%3Dapp", {"search_path": "app"}),
        ("postgresql://u:p@h/d?options=-crole%3Dreader", {"role": "reader"}),
        ("postgresql://u:p@h/d?search_path=app", {"search_path": "app"}),
        ("postgresql://u:p@h/d?options=-c%20default_transaction_read_only%3Doff", {}),
    ],
)
def test_settings_are_never_sent_at_start_up(text: str, settings: dict[str, str]) -> None:
    address = read(text)
    assert address.settings == settings
    assert "options" not in address.parameters


@pytest.mark.parametrize(
    ("query", "schema"),
    [("", "public"), ("?schema=app", "app"), ("?schema=my%20App", "my App"), ("?currentSchema=a,b", "a")],
)
def test_prismas_schema_is_public_by_default(query: str, schema: str) -> None:
    assert read(f"postgresql://u:p@h/d{query}").schema == schema


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sslmod=require", r'parameter "sslmod", .*|.*did you mean "sslmode"'),
        ("no_such_option=1", 'parameter "no_such_option", which no known driver has'),
        ("pgbouncr=true&x1=2", '"pgbouncr" .did you mean "pgbouncer"'),
    ],
)
def test_a_parameter_that_nobody_knows_is_named(query: str, told: str) -> None:
    with pytest.raises(OperatorPathFailed, match=told) as caught:
        read(f"postgresql://u:canary@h/d?{query}")
    assert caught.value.kind is NoAnswerKind.CREDENTIAL
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:can?ary=x@h/d?canary2=/@h",
        "postgresql://u:canary/word@h/d",
        "postgresql://u:can/ary?word=1@h/d",
        "mysql://u:canary@h/d",
        "prisma+postgres://accelerate.prisma-data.net/?api_key=canary",
        "host=h password=can ary",
        "",
    ],
)
def test_a_string_that_cannot_be_read_shows_nothing_of_itself(text: str) -> None:
    with pytest.raises(OperatorPathFailed, match=r"^DATABASE_URL ") as caught:
        read(text)
    assert "canary" not in str(caught.value)
    assert "ary" not in str(caught.value).replace("necessary", "")


def test_parameters_that_are_not_used_are_listed() -> None:
    address = read("postgresql://u:p@h/d?pgbouncer=true&connection_limit=1&schema=app&sslmode=require")
    assert address.dropped == ("connection_limit", "pgbouncer")
    assert address.pooled


@pytest.mark.parametrize(
    ("host", "part"),
    [
        ("dpg-d1a2b3c4e5f6g7h8i9j0-a", "Render's internal name"),
        ("postgres.railway.internal", "Railway's internal name"),
        ("my-db.internal", "Fly.io"),
        ("my-db.flycast", "Fly.io"),
        ("postgres.default.svc.cluster.local", "Kubernetes"),
        ("postgres.default.svc", "Kubernetes"),
        ("db", "Docker"),
        ("postgres_primary", "Docker"),
        ("db.corp", "local network"),
        ("mydb.privatelink.postgres.database.azure.com", "private network"),
        ("10.0.3.4", "private network"),
        ("192.168.1.9", "private network"),
        ("100.100.4.5", "private network"),
        ("fdaa::3", "private network"),
    ],
)
def test_a_name_from_inside_is_recognised(host: str, part: str) -> None:
    assert part in internal(host)


@pytest.mark.parametrize(
    "host",
    [
        "dpg-d1a2b3c4e5f6g7h8i9j0-a.oregon-postgres.render.com",
        "ep-cool-1.eu-central-1.aws.neon.tech",
        "roundhouse.proxy.rlwy.net",
        "db.abcdefgh.supabase.co",
        "8.8.8.8",
        "localhost",
        "127.0.0.1",
    ],
)
def test_a_public_name_is_not_taken_for_an_internal_one(host: str) -> None:
    assert internal(host) == ""


def test_addresses_that_this_machine_cannot_reach_are_explained() -> None:
    assert "IPv6" in advice(read("postgresql://u@db.x.supabase.co/d"), ("2600:1f18::1",))
    assert "10.1.2.3" in advice(read("postgresql://u@x.rds.amazonaws.com/d"), ("10.1.2.3",))
    assert "tunnel" in advice(read("postgresql://u@localhost:15432/d"))
    assert "socket" in advice(read("postgresql:///d?host=/cloudsql/a:b:c"))
    assert advice(read("postgresql://u@h.example/d"), ("8.8.8.8",)) == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("postgres://u.r:p@aws-0-eu-west-1.pooler.supabase.com:6543/postgres", "Supabase's pooler"),
        ("postgres://u:p@ep-x-pooler.us-east-2.aws.neon.tech/d", "Neon's pooler"),
        ("postgres://u:p@my.proxy-abc123.eu-west-1.rds.amazonaws.com/d", "RDS Proxy"),
        ("postgres://u:p@pgbouncer.example/d", "a pooler"),
        ("postgres://u:p@h.example:6432/d", "PgBouncer's usual port"),
        ("postgres://u:p@h.example/d?pgbouncer=true", "pgbouncer=true"),
    ],
)
def test_a_pooler_is_recognised_by_its_name_port_or_parameter(text: str, name: str) -> None:
    assert name in pooler(read(text))


@pytest.mark.parametrize(
    ("query", "mode", "unverified"),
    [
        ("ssl", "require", False),
        ("ssl=", "require", False),
        ("ssl=TRUE", "require", False),
        ("ssl=verify-ca", "verify-ca", False),
        ("ssl=false", None, False),
        ("ssl=no-verify", "require", True),
        ('ssl={"rejectUnauthorized":false}', "require", True),
        ("ssl=%7B%22rejectUnauthorized%22%3A+true%7D", "require", False),
    ],
)
def test_no_way_of_asking_for_tls_is_read_as_going_without(query: str, mode: str, unverified: bool) -> None:  # noqa: FBT001
    address = read_address(f"postgresql://u:pass@h/db?{query}", "DATABASE_URL")
    assert (address.parameters.get("sslmode"), address.unverified) == (mode, unverified)


def test_a_value_may_hold_an_equals_sign() -> None:
    address = read_address(
        "jdbc:postgresql://h/db?user=u&password=abc==&options=-c%20search_path=app,public", "DATABASE_URL"
    )
    assert address.parameters["password"] == "abc=="
    assert address.settings == {"search_path": "app,public"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Host=h;Port=5432;Username=u;Password=s3cretPw;Database=db", "by semicolons or commas"),
        ("host=h;database=db;username=u;password=s3cretPw;pooling=true", "by semicolons or commas"),
        ("user=u;password=s3cretPw;host=h", "by semicolons or commas"),
        ("Server=h;User Id=u;Password=s3cretPw;SSL Mode=Require", "by semicolons or commas"),
        ("host=h, user=u, password=s3cretPw", "by semicolons or commas"),
        ("postgresql://${PGUSER}:s3cretPw@h/db", "a variable"),
        ("host=${PGHOST} password=s3cretPw", "a variable"),
        ("jdbc:postgresql:///db?cloudSqlInstance=p:r:i&user=u&password=s3cretPw", "Google's connector"),
        ("postgresql://u:s3cretPw@h/db?ssl=verify", "a value of ssl"),
    ],
)
def test_a_form_that_other_drivers_alone_read_is_refused_and_shows_no_secret(text: str, told: str) -> None:
    with pytest.raises(OperatorPathFailed, match=told) as refused:
        read_address(text, "DATABASE_URL")
    assert "s3cret" not in str(refused.value)
    assert str(refused.value).startswith("DATABASE_URL ")


def test_a_password_of_libpqs_own_form_may_hold_a_semicolon() -> None:
    for text in ("host=h user=u password=a;b dbname=db", "host=h password='a;b=c, d=e' user=u"):
        assert read_address(text, "DATABASE_URL").parameters["host"] == "h"
