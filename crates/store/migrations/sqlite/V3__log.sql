-- The server's log: a Merkle tree (RFC 6962) for each contract and month of receipt, signed heads of it, and what
-- proves who sent and who received. Frozen: a change is a new file with the next number.
--
-- month: 'YYYY-MM' of receipt in the contract's zone. A contract's months only go forward: should the server's
-- clock be set back, events go on into the newest month there is.

CREATE TABLE log_leaves (
    contract_id INTEGER NOT NULL,
    month       TEXT    NOT NULL,
    leaf        INTEGER NOT NULL,
    terminal_id BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    PRIMARY KEY (contract_id, month, leaf),
    UNIQUE (contract_id, terminal_id, seq),
    FOREIGN KEY (contract_id, terminal_id, seq) REFERENCES events (contract_id, terminal_id, seq)
) STRICT, WITHOUT ROWID;

-- Events that were there before the log, in the order of their receipt.
INSERT INTO log_leaves (contract_id, month, leaf, terminal_id, seq)
SELECT contract_id, month,
       row_number() OVER (PARTITION BY contract_id, month ORDER BY received_at, terminal_id, seq) - 1,
       terminal_id, seq
FROM (SELECT contract_id, terminal_id, seq, received_at,
             strftime('%Y-%m', received_at / 1000 + 32400, 'unixepoch') AS month FROM events);

CREATE TRIGGER log_leaves_are_not_changed BEFORE UPDATE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_leaves_are_not_deleted BEFORE DELETE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- Hashes of each tree in the dense order of RFC 6962 logs (place), written when a head is signed.
CREATE TABLE log_hashes (
    contract_id INTEGER NOT NULL,
    month       TEXT    NOT NULL,
    place       INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    PRIMARY KEY (contract_id, month, place)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER log_hashes_are_not_changed BEFORE UPDATE ON log_hashes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_hashes_are_not_deleted BEFORE DELETE ON log_hashes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- envelope: the signed head as JSON.
CREATE TABLE log_heads (
    contract_id INTEGER NOT NULL,
    month       TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    closed      INTEGER NOT NULL,
    root        BLOB    NOT NULL,
    signed_at   INTEGER NOT NULL,
    envelope    TEXT    NOT NULL,
    PRIMARY KEY (contract_id, month, size, closed)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER log_heads_are_not_changed BEFORE UPDATE ON log_heads
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_heads_are_not_deleted BEFORE DELETE ON log_heads
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- Batches that brought something new: the terminal's signature and the signed text without its events' bytes.
-- digest: SHA-256 of the whole payload. Batches taken in before this file are not there.
CREATE TABLE batches (
    contract_id INTEGER NOT NULL,
    terminal_id BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    signature   TEXT    NOT NULL,
    frame       TEXT    NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, received_at, digest)
) STRICT, WITHOUT ROWID;

-- Receipts as they were given, of batches that were not empty.
CREATE TABLE receipts (
    contract_id INTEGER NOT NULL,
    terminal_id BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    request     BLOB    NOT NULL,
    envelope    TEXT    NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, received_at, request)
) STRICT, WITHOUT ROWID;
