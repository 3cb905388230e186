-- The tables of the delivery protocol, the same in every service's database. Rules: docs/messaging.md.
CREATE SCHEMA IF NOT EXISTS chassis;
CREATE SCHEMA IF NOT EXISTS chk;

-- How far each partition has been handled; the truth that a Kafka group offset only follows.
CREATE TABLE chassis.position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)
);

-- The highest day marker seen per partition and entity.
CREATE TABLE chassis.met (
    topic text NOT NULL,
    partition integer NOT NULL,
    entity text NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (topic, partition, entity)
);

-- Records that stand behind the marker of a day not yet open here; `behind` is that day. Markers are never held, only noted in `met`:
-- a day opens when its markers are met and nothing stands held behind an earlier one.
CREATE TABLE chassis.held (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    entity text NOT NULL,
    behind date NOT NULL,
    headers bytea NOT NULL,
    key bytea,
    value bytea,
    PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX held_by_day ON chassis.held (entity, behind);

-- The open business day of every entity. While turning_on is set, the day's work is being done in chunks up to cursor.
CREATE TABLE chassis.day (
    entity text PRIMARY KEY,
    open_on date NOT NULL,
    turning_on date,
    cursor text NOT NULL DEFAULT '',
    waiting_since timestamptz,
    late bigint NOT NULL DEFAULT 0
);

-- Started business days, where this service owns the calendar.
CREATE TABLE chassis.calendar (
    entity text PRIMARY KEY,
    started_on date NOT NULL
);

-- What was heard: the last sequence applied per (topic, key).
CREATE TABLE chassis.stream_seen (
    topic text NOT NULL,
    key text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (topic, key)
);

-- What was said: the last sequence given per (topic, key).
CREATE TABLE chassis.stream_head (
    topic text NOT NULL,
    key text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (topic, key)
);

CREATE TABLE chassis.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    partition integer,
    headers bytea NOT NULL,
    value bytea NOT NULL CHECK (octet_length(value) <= 921600),
    queued_at timestamptz NOT NULL
);

-- Ingress facts seen, by sender's id and content: the same id with another content is not a repeat.
CREATE TABLE chassis.inbox (
    source text NOT NULL,
    id text NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (source, id, hash)
);

-- Ingress records that were refused and answered, kept for redrive.
CREATE TABLE chassis.refused (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    reasons jsonb NOT NULL,
    headers bytea NOT NULL,
    record_key bytea,
    value bytea,
    refused_at timestamptz NOT NULL,
    redriven_at timestamptz
);

-- Facts set aside: for a reason of their own, behind one of the same key, or waiting for another fact.
CREATE TABLE chassis.parked (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    waits_for text,
    headers bytea NOT NULL,
    record_key bytea,
    value bytea,
    parked_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'redriven', 'skipped'))
);
CREATE INDEX parked_by_key ON chassis.parked (topic, key, id) WHERE state = 'parked';
CREATE INDEX parked_by_awaited ON chassis.parked (waits_for) WHERE state = 'parked' AND waits_for IS NOT NULL;

CREATE TABLE chassis.idempotency (
    entity text NOT NULL,
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status integer,
    body bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (entity, principal, route, key)
);
CREATE INDEX idempotency_by_age ON chassis.idempotency (created_at);

CREATE TABLE chassis.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity text NOT NULL,
    principal text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL,
    recorded_at timestamptz NOT NULL
);

CREATE VIEW chk.position AS SELECT topic, partition, next_offset FROM chassis.position;
CREATE VIEW chk.day AS SELECT entity, open_on, open_on - 1 AS complete_up_to, turning_on, late FROM chassis.day;
CREATE VIEW chk.stream_head AS SELECT topic, key, sequence FROM chassis.stream_head;
CREATE VIEW chk.stream_seen AS SELECT topic, key, sequence FROM chassis.stream_seen;
CREATE VIEW chk.unpublished AS SELECT count(*) AS rows, min(queued_at) AS oldest_at FROM chassis.outbox;
CREATE VIEW chk.held AS SELECT topic, partition, entity, count(*) AS rows FROM chassis.held GROUP BY topic, partition, entity;
CREATE VIEW chk.parked AS SELECT id, topic, key, partition, "offset", reason, waits_for, state FROM chassis.parked;
CREATE VIEW chk.refused AS SELECT id, topic, partition, "offset", reasons, redriven_at IS NOT NULL AS redriven FROM chassis.refused;
CREATE VIEW chk.idem AS SELECT entity, principal, route, key, status FROM chassis.idempotency;
