-- Batches and receipts lie in the order in which they come, and are found through the index of their key. Rows of half a
-- kilobyte each in the order of terminals broke up several pages for every punch. Nothing in them changes, nor what is
-- asked of them. One transaction, which copies both tables: it is done as a whole or not at all.
-- Frozen: a change is a new file with the next number.

CREATE TABLE batches_anew (
    contract_id INTEGER NOT NULL,
    terminal_id BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    signature   TEXT    NOT NULL,
    frame       TEXT    NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, received_at, digest)
) STRICT;
INSERT INTO batches_anew (contract_id, terminal_id, received_at, digest, signature, frame)
SELECT contract_id, terminal_id, received_at, digest, signature, frame FROM batches;
DROP TABLE batches;
ALTER TABLE batches_anew RENAME TO batches;

CREATE TABLE receipts_anew (
    contract_id INTEGER NOT NULL,
    terminal_id BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    request     BLOB    NOT NULL,
    envelope    TEXT    NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, received_at, request)
) STRICT;
INSERT INTO receipts_anew (contract_id, terminal_id, received_at, request, envelope)
SELECT contract_id, terminal_id, received_at, request, envelope FROM receipts;
DROP TABLE receipts;
ALTER TABLE receipts_anew RENAME TO receipts;
