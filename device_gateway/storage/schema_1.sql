-- What a gateway keeps. Rowid tables on purpose: WITHOUT ROWID makes rows of several kB a third larger.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE session (
    id TEXT PRIMARY KEY,                        -- UUIDv7, so the order of ids is the order in time
    opening_uploaded INTEGER NOT NULL DEFAULT 0,
    report_uploaded INTEGER NOT NULL DEFAULT 0, -- the last step: everything of this session is at the clinic
    problem TEXT,                               -- why the clinic will not take it; such a session is kept, and shown
    opening TEXT NOT NULL,                      -- SessionOpening as JSON
    report TEXT                                 -- SessionReport as JSON once the session is finished
);
CREATE INDEX session_waiting ON session (id) WHERE NOT report_uploaded;
CREATE TABLE chunk (
    session_id TEXT NOT NULL REFERENCES session (id),
    number INTEGER NOT NULL,
    uploaded INTEGER NOT NULL DEFAULT 0,
    sha256 BLOB NOT NULL,
    data BLOB NOT NULL,                         -- last, because what stands behind a BLOB is reached through all of it
    UNIQUE (session_id, number)
);
CREATE INDEX chunk_waiting ON chunk (session_id, number) WHERE NOT uploaded;
