-- What a session that was never finished is closed with.
ALTER TABLE session ADD COLUMN plan TEXT;       -- SessionPlan as JSON
ALTER TABLE session ADD COLUMN sensors TEXT;    -- list of SensorRecord as JSON, as of the last chunk
CREATE TABLE command (
    session_id TEXT NOT NULL REFERENCES session (id),
    given TEXT NOT NULL                         -- GivenCommand as JSON, in the order of rowid
);
CREATE INDEX command_session ON command (session_id);
