-- Which key the server signs with, and what is remembered between the two halves of a ceremony (a passkey's, another
-- provider's), so that any node can end what another has begun. The same as SQLite's V26. Frozen: a change is a new file
-- with the next number.

-- The public half of the one key whose signatures the store holds. One row, which is never changed: another key would leave
-- a log that nobody can check as a whole.
CREATE TABLE signing_key (
    one        BIGINT PRIMARY KEY CHECK (one = 1),
    public_key TEXT   COLLATE "C" NOT NULL,
    noted_at   BIGINT NOT NULL
);

-- name: the digest of what the browser's cookie says; kind: which ceremony; state: JSON, what its end needs. A row is taken
-- out by the answer that it waits for, whatever comes of it; what nobody answers goes with a later beginning.
CREATE TABLE ceremonies (
    name     TEXT   COLLATE "C" PRIMARY KEY,
    kind     TEXT   COLLATE "C" NOT NULL,
    state    BYTEA  NOT NULL,
    begun_at BIGINT NOT NULL,
    ends_at  BIGINT NOT NULL
);
CREATE INDEX ceremonies_by_time ON ceremonies (kind, begun_at);
CREATE INDEX ceremonies_by_end ON ceremonies (ends_at);
