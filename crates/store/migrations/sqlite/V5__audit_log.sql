-- The audit log as leaves of the server's log. Frozen: a change is a new file with the next number.

-- hash: SHA-256 of the entry's line (mngntime_ledger::audit), made from the other columns. Entries of before this file
-- have none and no leaf, and what is of no contract has none either: there is no log it could be in.
ALTER TABLE audit ADD COLUMN hash BLOB;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- A leaf is an event's or an entry's. Made anew, since the columns of an event could not be absent.
CREATE TABLE log_leaves_anew (
    contract_id INTEGER NOT NULL,
    month       TEXT    NOT NULL,
    leaf        INTEGER NOT NULL,
    terminal_id BLOB,
    seq         INTEGER,
    audit_id    INTEGER REFERENCES audit (id),
    PRIMARY KEY (contract_id, month, leaf),
    UNIQUE (contract_id, terminal_id, seq),
    FOREIGN KEY (contract_id, terminal_id, seq) REFERENCES events (contract_id, terminal_id, seq),
    CHECK ((terminal_id IS NULL) = (seq IS NULL) AND (terminal_id IS NULL) <> (audit_id IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO log_leaves_anew (contract_id, month, leaf, terminal_id, seq)
SELECT contract_id, month, leaf, terminal_id, seq FROM log_leaves;
DROP TABLE log_leaves;
ALTER TABLE log_leaves_anew RENAME TO log_leaves;
CREATE UNIQUE INDEX log_leaves_by_entry ON log_leaves (audit_id) WHERE audit_id IS NOT NULL;

CREATE TRIGGER log_leaves_are_not_changed BEFORE UPDATE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_leaves_are_not_deleted BEFORE DELETE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
