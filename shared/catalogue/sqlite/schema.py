"""The tables, and how a file of an older schema becomes one of this."""

import sqlite3

from shared.errors import Conflict

# Each entry takes a file from the version that is its position to the next one.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE products (
        tenant TEXT NOT NULL, product_id TEXT NOT NULL, attributes TEXT NOT NULL,
        images TEXT NOT NULL, content_hash TEXT NOT NULL, version INTEGER NOT NULL,
        revision INTEGER NOT NULL, images_revision INTEGER NOT NULL, deleted INTEGER NOT NULL,
        date TEXT NOT NULL, written INTEGER NOT NULL, written_by TEXT, bucket INTEGER NOT NULL,
        urgent INTEGER NOT NULL, indexed TEXT NOT NULL, pending TEXT NOT NULL,
        pending_since INTEGER, last_error TEXT, category TEXT NOT NULL,
        UNIQUE (tenant, product_id));
    CREATE INDEX products_by_bucket ON products (tenant, bucket) WHERE NOT deleted;
    CREATE INDEX products_by_category ON products (tenant, category) WHERE NOT deleted;
    CREATE INDEX tombstones ON products (written) WHERE deleted AND pending = '[]';

    CREATE TABLE pending (
        target TEXT NOT NULL, tenant TEXT NOT NULL, urgent INTEGER NOT NULL,
        product_id TEXT NOT NULL, bucket INTEGER NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (target, tenant, urgent, product_id)) WITHOUT ROWID;

    CREATE TABLE shows (
        tenant TEXT NOT NULL, sha256 TEXT NOT NULL, product_id TEXT NOT NULL,
        PRIMARY KEY (tenant, sha256, product_id)) WITHOUT ROWID;

    CREATE TABLE images (
        tenant TEXT NOT NULL, sha256 TEXT NOT NULL, blob TEXT NOT NULL, start INTEGER NOT NULL,
        length INTEGER NOT NULL, media_type TEXT NOT NULL, width INTEGER NOT NULL,
        height INTEGER NOT NULL, touched INTEGER NOT NULL, doomed INTEGER, phash TEXT,
        thumbnail_blob TEXT, thumbnail_start INTEGER, thumbnail_length INTEGER,
        UNIQUE (tenant, sha256));
    CREATE INDEX images_by_blob ON images (blob);
    CREATE INDEX images_by_thumbnail ON images (thumbnail_blob) WHERE thumbnail_blob IS NOT NULL;

    CREATE TABLE fingerprints (fingerprint TEXT PRIMARY KEY) WITHOUT ROWID;

    CREATE TABLE embeddings (
        tenant TEXT NOT NULL, sha256 TEXT NOT NULL, fingerprint TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, lease_until INTEGER NOT NULL DEFAULT 0, error TEXT,
        unannounced INTEGER NOT NULL DEFAULT 0, vector BLOB,
        open INTEGER AS (unannounced OR (vector IS NULL AND error IS NULL)) VIRTUAL,
        UNIQUE (tenant, sha256, fingerprint));
    CREATE INDEX embeddings_open ON embeddings (fingerprint, attempts, tenant, sha256) WHERE open;

    CREATE TABLE imports (
        import_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, created INTEGER NOT NULL,
        state TEXT NOT NULL, scanned INTEGER NOT NULL, planned INTEGER NOT NULL, detail TEXT,
        body TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX imports_by_tenant ON imports (tenant, created);
    CREATE INDEX imports_by_state ON imports (state, created);

    CREATE TABLE chunks (
        import_id TEXT NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL,
        length INTEGER NOT NULL, records INTEGER NOT NULL, state TEXT NOT NULL,
        attempts INTEGER NOT NULL, lease_until INTEGER NOT NULL, counters TEXT NOT NULL,
        PRIMARY KEY (import_id, number)) WITHOUT ROWID;
    CREATE INDEX chunks_waiting ON chunks (import_id, attempts, number) WHERE state = 'waiting';

    CREATE TABLE dead (
        tenant TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL,
        detail TEXT NOT NULL, first_seen INTEGER NOT NULL, attempts INTEGER NOT NULL,
        source TEXT, start INTEGER, PRIMARY KEY (tenant, key)) WITHOUT ROWID;
    CREATE INDEX dead_by_source ON dead (tenant, source, key);

    CREATE TABLE indexes (
        index_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, state TEXT NOT NULL,
        created INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE pointers (
        index_id TEXT NOT NULL, shard INTEGER NOT NULL, generation INTEGER NOT NULL,
        manifest TEXT, as_of INTEGER NOT NULL, rebuilding INTEGER,
        PRIMARY KEY (index_id, shard)) WITHOUT ROWID;
    CREATE TABLE replicas (
        index_id TEXT NOT NULL, shard INTEGER NOT NULL, replica TEXT NOT NULL,
        generation INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (index_id, shard, replica)) WITHOUT ROWID;
    CREATE TABLE aliases (
        tenant TEXT NOT NULL, name TEXT NOT NULL, index_id TEXT NOT NULL,
        version INTEGER NOT NULL, PRIMARY KEY (tenant, name)) WITHOUT ROWID;

    CREATE TABLE keys (
        key_id TEXT NOT NULL, tenant TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE,
        body TEXT NOT NULL, PRIMARY KEY (tenant, key_id));
    CREATE TABLE uploads (
        upload_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, blob TEXT NOT NULL,
        created INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX uploads_by_blob ON uploads (blob);
    CREATE INDEX uploads_by_created ON uploads (created);
    CREATE TABLE idempotency (
        tenant TEXT NOT NULL, key TEXT NOT NULL, body_sha256 TEXT NOT NULL, status INTEGER,
        answer BLOB, at INTEGER NOT NULL, PRIMARY KEY (tenant, key));
    CREATE INDEX idempotency_by_age ON idempotency (at);
    CREATE TABLE leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE jobs (
        job_id TEXT NOT NULL, tenant TEXT NOT NULL, created INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (tenant, job_id));
    CREATE INDEX jobs_by_created ON jobs (tenant, created);
    CREATE TABLE secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL) WITHOUT ROWID;
    """,
    """
    CREATE TABLE fetches (
        tenant TEXT NOT NULL, url TEXT NOT NULL, sha256 TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (tenant, url)) WITHOUT ROWID;

    CREATE TABLE parts (
        upload_id TEXT NOT NULL, start INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
        PRIMARY KEY (upload_id, start)) WITHOUT ROWID;
    CREATE INDEX parts_by_blob ON parts (blob);
    INSERT INTO parts SELECT upload_id, 0, blob, body ->> '$.size' FROM uploads;
    DROP INDEX uploads_by_blob;
    DROP INDEX uploads_by_created;
    ALTER TABLE uploads DROP COLUMN blob;
    ALTER TABLE uploads RENAME COLUMN created TO touched;
    ALTER TABLE uploads ADD COLUMN size INTEGER;
    ALTER TABLE uploads ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
    UPDATE uploads SET size = body ->> '$.size', received = body ->> '$.size',
        body = json_remove(body, '$.blob', '$.size');
    CREATE INDEX uploads_by_touched ON uploads (touched);

    ALTER TABLE imports ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE imports ADD COLUMN records INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE imports ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE imports ADD COLUMN findings TEXT NOT NULL DEFAULT '{}';
    UPDATE imports SET updated = created,
        chunks = (SELECT count(*) FROM chunks WHERE chunks.import_id = imports.import_id),
        records = (SELECT coalesce(sum(chunks.records), 0) FROM chunks
                   WHERE chunks.import_id = imports.import_id),
        body = json_object('format', body ->> '$.format', 'source', body ->> '$.source',
                           'size', body ->> '$.size',
                           'options', json_object('limit', body ->> '$.limit'));

    CREATE TABLE ranges (
        import_id TEXT NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL,
        length INTEGER NOT NULL, records INTEGER NOT NULL, state TEXT NOT NULL,
        attempts INTEGER NOT NULL, lease_until INTEGER NOT NULL, ended INTEGER NOT NULL,
        imported INTEGER NOT NULL, unchanged INTEGER NOT NULL, superseded INTEGER NOT NULL,
        duplicate INTEGER NOT NULL, failed INTEGER NOT NULL, left_out INTEGER NOT NULL,
        created INTEGER NOT NULL, pictures INTEGER NOT NULL, embedded INTEGER NOT NULL,
        categories TEXT, PRIMARY KEY (import_id, number)) WITHOUT ROWID;
    INSERT INTO ranges SELECT import_id, number, start, length, records, state, attempts,
        lease_until, 0, counters ->> '$.imported', counters ->> '$.unchanged',
        counters ->> '$.superseded', counters ->> '$.duplicate', counters ->> '$.failed', 0, 0,
        counters ->> '$.pictures', counters ->> '$.embedded', NULL FROM chunks;
    DROP TABLE chunks;
    ALTER TABLE ranges RENAME TO chunks;
    CREATE INDEX chunks_waiting ON chunks (import_id, attempts, number) WHERE state = 'waiting';
    """,
    "CREATE INDEX fetches_by_age ON fetches (at)",
    """
    CREATE INDEX jobs_unfinished ON jobs (body ->> '$.kind', created, job_id)
        WHERE body ->> '$.state' IN ('queued', 'running', 'paused')
    """,
    """
    CREATE TABLE models (
        tenant TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, model_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL, archive TEXT NOT NULL, created INTEGER NOT NULL,
        body TEXT NOT NULL, UNIQUE (tenant, name, version));
    CREATE INDEX models_by_id ON models (tenant, model_id);
    CREATE INDEX models_by_title ON models (tenant, name, created, model_id);
    CREATE INDEX models_by_fingerprint ON models (fingerprint, created, model_id);
    CREATE INDEX models_by_archive ON models (archive);
    """,
    "ALTER TABLE aliases ADD COLUMN moves TEXT NOT NULL DEFAULT '[]'",
)


def migrate(db: sqlite3.Connection, path: object) -> None:
    """Brings the file to the last version, all or nothing; a file of a later one is left alone."""
    db.execute("BEGIN IMMEDIATE")
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        _refuse_newer(version, path)
        for script in MIGRATIONS[version:]:
            for statement in script.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _refuse_newer(version: int, path: object) -> None:
    if version > len(MIGRATIONS):
        raise Conflict(
            f"The catalogue {path} has schema {version}, and this Lookalike knows schemas up to "
            f"{len(MIGRATIONS)}: upgrade Lookalike, or name another file.",
            code="newer_schema",
        )
