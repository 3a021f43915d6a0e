"""The tables without a migration: the API's own, and Prisma's migration table."""

SCHEMA = """
CREATE TABLE exploits (
    id integer PRIMARY KEY,
    tx_hash text NOT NULL UNIQUE,
    chain text NOT NULL,
    protocol text NOT NULL,
    amount_usd double precision,
    timestamp timestamptz NOT NULL,
    source text NOT NULL,
    source_url text,
    category text,
    description text,
    recovery_status text,
    created_at timestamptz NOT NULL
);
CREATE INDEX exploits_timestamp ON exploits (timestamp DESC, id DESC);
CREATE INDEX exploits_chain ON exploits (lower(chain));

CREATE TABLE sources (
    name text PRIMARY KEY,
    last_fetch timestamptz NOT NULL,
    fetch_count integer NOT NULL,
    error_count integer NOT NULL,
    success_rate double precision,
    is_active boolean NOT NULL
);

CREATE TABLE users (
    id integer PRIMARY KEY,
    email text NOT NULL UNIQUE,
    tier text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE api_keys (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id),
    key_hash text NOT NULL UNIQUE,
    tier text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE _prisma_migrations (
    id varchar(36) PRIMARY KEY,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
);
"""
