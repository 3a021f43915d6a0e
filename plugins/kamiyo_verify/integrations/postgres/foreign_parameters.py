"""Connection-string parameters of other drivers and hosts, and how each is handled.

libpq rejects a string that contains one. Those that are known here are dropped or translated; any other is
named in an error, as it may be a misspelt parameter that matters.
"""

from __future__ import annotations

from collections.abc import Iterable

_BY_DRIVER: dict[str, str] = {
    # https://www.prisma.io/docs/orm/v6/overview/databases/postgresql#arguments
    "Prisma": "connection_limit pgbouncer pool_timeout schema socket_timeout sslaccept sslidentity"
    " statement_cache_size max_connection_lifetime max_idle_connection_lifetime single_use_connections",
    # https://node-postgres.com/apis/client, https://github.com/iceddev/pg-connection-string
    "node-postgres": "ssl uselibpqcompat encoding max min idletimeoutmillis connectiontimeoutmillis keepalive"
    " keepaliveinitialdelaymillis query_timeout binary parsejson allowexitonidle maxuses maxlifetimeseconds",
    # https://github.com/porsager/postgres#connection-details
    "postgres.js": "idle_timeout max_lifetime max_pipeline prepare fetch_types transform debug publications",
    # Added by the hosts' own dashboards and integrations.
    "Supabase": "supa workaround",
    "Neon": "endpoint",
    # https://docs.sqlalchemy.org/en/20/dialects/postgresql.html, https://magicstack.github.io/asyncpg/
    "SQLAlchemy": "async_fallback prepared_statement_cache_size prepared_statement_name_func pool_size"
    " max_overflow pool_recycle pool_pre_ping use_native_hstore executemany_mode",
    "asyncpg": "command_timeout timeout direct_tls min_size max_size max_inactive_connection_lifetime"
    " max_cached_statement_lifetime max_cacheable_statement_size max_queries",
    "psycopg": "prepare_threshold autocommit cursor_factory",
    # https://github.com/jazzband/dj-database-url
    "Django": "conn_max_age conn_health_checks disable_server_side_cursors engine",
    # https://www.doctrine-project.org/projects/doctrine-dbal/en/current/reference/configuration.html
    "Doctrine": "serverversion server_version charset driver persistent",
    # https://jdbc.postgresql.org/documentation/use/
    "JDBC": "currentschema preparethreshold rewritebatchedinserts applicationname logintimeout sockettimeout"
    " connecttimeout tcpkeepalive targetservertype loadbalancehosts stringtype sslfactory sslhostnameverifier"
    " loggerlevel binarytransfer preferquerymode autosave readonly defaultrowfetchsize cleanupsavepoints"
    " adaptivefetch allowencodingchanges assumeminserverversion cancelsignaltimeout"
    " databasemetadatacachefields disablecolumnsanitiser escapesyntaxcallmode groupstartupparameters"
    " hostrecheckseconds localsocketaddress logunclosedconnections maxresultbuffer"
    " preparedstatementcachequeries preparedstatementcachesizemib quotereturningidentifiers readonlymode"
    " receivebuffersize sendbuffersize socketfactory sslresponsetimeout",
    # https://pkg.go.dev/github.com/jackc/pgx/v5/pgxpool#ParseConfig, https://pkg.go.dev/github.com/lib/pq
    "Go": "pool_max_conns pool_min_conns pool_min_idle_conns pool_max_conn_lifetime"
    " pool_max_conn_lifetime_jitter pool_max_conn_idle_time pool_health_check_period default_query_exec_mode"
    " statement_cache_capacity statement_cache_mode description_cache_capacity prefer_simple_protocol"
    " binary_parameters disable_prepared_binary_result sslinline",
    # https://guides.rubyonrails.org/configuring.html#configuring-a-database
    "Rails": "adapter pool checkout_timeout reaping_frequency prepared_statements advisory_locks min_messages"
    " schema_search_path insert_returning variables",
    # https://docs.rs/sqlx/latest/sqlx/postgres/struct.PgConnectOptions.html
    "sqlx": "statement-cache-capacity",
    # https://hexdocs.pm/ecto_sql, https://docs.rs/tokio-postgres
    "other drivers": "pool_count queue_target queue_interval socket_dir keepalives_retries",
}

FOREIGN: dict[str, str] = {name: driver for driver, names in _BY_DRIVER.items() for name in names.split()}
"""The driver of each parameter, by its name in lower case."""

SAME = {
    "ssl-mode": "sslmode",
    "ssl-root-cert": "sslrootcert",
    "ssl-ca": "sslrootcert",
    "ssl-cert": "sslcert",
    "ssl-key": "sslkey",
}
"""sqlx's spellings of libpq's own parameters, which are translated and never dropped."""

SETTINGS = frozenset(
    {
        "search_path",
        "timezone",
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "transaction_timeout",
        "datestyle",
        "intervalstyle",
        "extra_float_digits",
        "role",
    }
)
"""Settings of the session that some drivers (pgx, lib/pq, node-postgres) take as parameters."""

SSLMODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
"""libpq's own, which asyncpg and others take for `ssl` too."""

TRUE = frozenset({"true", "1", "yes", "on", "t"})
_FALSE = frozenset({"false", "0", "no", "off", "f"})

_READ_BY_US = frozenset({"search_path", "role"})
"""The settings among them that affect the result of a query; the others concern only the platform."""

_STAYS = frozenset({"cluster"})
"""`--cluster=…` selects the cluster at CockroachDB's proxy: it is not a setting."""


def sslmode_of(ssl: str) -> str | None:
    """Libpq's sslmode for the `ssl` of another driver: "" without TLS, None for a value that nobody knows.

    Without a value it means yes (JDBC); node-postgres takes an object.
    """
    ssl = ssl.strip().lower()
    if ssl in SSLMODES:
        return ssl
    if ssl in _FALSE:
        return ""
    return "require" if ssl in TRUE | {"", "no-verify"} or ssl.startswith("{") else None


def option_words(options: str) -> list[str]:
    r"""Split libpq's `options` into words, where a backslash keeps a space within a word."""
    words: list[str] = []
    word, escaped = "", False
    for char in options:
        if escaped or (char != "\\" and not char.isspace()):
            word, escaped = word + char, False
        elif char == "\\":
            escaped = True
        elif word:
            words, word = [*words, word], ""
    return [*words, word] if word else words


def settings_in(options: str) -> tuple[dict[str, str], str]:
    """The settings of `options` that we set once connected, and the part that must be sent at start-up.

    A pooler rejects settings at start-up. But the proxies of Supabase and Neon find the database by
    `project=…` and `endpoint=…`, so these stay.
    """
    settings: dict[str, str] = {}
    stays: list[str] = []
    words = iter(option_words(options))
    for word in words:
        named = word
        if word == "-c":
            named = next(words, "")
        elif word.startswith(("-c", "--")):
            named = word[2:]
        else:
            stays.append(word)
            continue
        name, assigned, value = named.partition("=")
        if not assigned or name in _STAYS:
            stays.append(word)
            continue
        settings[name.strip().lower().replace("-", "_")] = value
    return relevant(settings.items()), " ".join(stays)


def relevant(settings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The settings that affect the result of a query."""
    return {name: value for name, value in settings if name in _READ_BY_US}
