-- What the living-room gateway adds. A table that refers to a session says ON DELETE CASCADE: to make room, retention
-- deletes whole sessions that the clinic has.
ALTER TABLE session ADD COLUMN chunk_bytes INTEGER NOT NULL DEFAULT 0; -- sum over its chunks, so that nobody reads them all
UPDATE session SET chunk_bytes = (SELECT coalesce(sum(length(data)), 0) FROM chunk WHERE session_id = session.id);
CREATE INDEX session_size ON session (report_uploaded, chunk_bytes);

-- Whom the local API lets in (live/phones.py).
CREATE TABLE phone (
    id TEXT PRIMARY KEY,                        -- UUIDv7
    name TEXT NOT NULL,
    token_sha256 BLOB NOT NULL UNIQUE,
    paired_at TEXT NOT NULL,                    -- ISO 8601, as the others
    last_seen TEXT,
    revoked_at TEXT
);

-- Models and exercises from the clinic (uplink/releases.py): two versions of each, and the newest that was refused.
CREATE TABLE release (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL,                     -- Release as JSON
    refusal TEXT,                               -- why it must not be used; its content is not kept then
    content BLOB NOT NULL,
    UNIQUE (kind, name, version)
);
