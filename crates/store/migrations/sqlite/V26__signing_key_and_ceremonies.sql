-- Which key the server signs with, and what is remembered between the two halves of a ceremony (a passkey's, another
-- provider's), so that any node can end what another has begun. Frozen: a change is a new file with the next number.

-- The public half of the one key whose signatures the store holds. One row, which is never changed: another key would leave
-- a log that nobody can check as a whole.
CREATE TABLE signing_key (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    public_key TEXT    NOT NULL,
    noted_at   INTEGER NOT NULL
) STRICT;

-- name: the digest of what the browser's cookie says; kind: which ceremony; state: JSON, what its end needs. A row is taken
-- out by the answer that it waits for, whatever comes of it; what nobody answers goes with a later beginning.
CREATE TABLE ceremonies (
    name     TEXT    PRIMARY KEY,
    kind     TEXT    NOT NULL,
    state    BLOB    NOT NULL,
    begun_at INTEGER NOT NULL,
    ends_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX ceremonies_by_time ON ceremonies (kind, begun_at);
CREATE INDEX ceremonies_by_end ON ceremonies (ends_at);
