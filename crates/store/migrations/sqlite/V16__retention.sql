-- Retention: months of the log whose time is over are retired, one contract and month at a time, and stay provable.
-- Frozen: a change is a new file with the next number.
--
-- A month that is retired keeps its heads, the hashes of its tree and the leaves and entries of the audit log. Its events
-- go, with their leaves, punches, judgements, batches and receipts. A row in retired_months is what lets them go; the
-- database refuses that row while a hold touches the month, while its log is not closed, or while nobody has switched
-- deletion on.

-- retires: whether months are retired when their time is over. Nobody's records go unless somebody said so.
ALTER TABLE contract_settings ADD COLUMN retires INTEGER NOT NULL DEFAULT 0 CHECK (retires IN (0, 1));

-- 保存延長: while a hold stands, no month with a day between its dates is retired. employee_id: whom it is about; absent
-- for the whole contract. from_date, to_date: absent when it has no beginning, or no end. Never changed, never deleted.
CREATE TABLE retention_holds (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    id          BLOB    NOT NULL,
    employee_id BLOB,
    from_date   TEXT,
    to_date     TEXT,
    reason      TEXT    NOT NULL,
    set_at      INTEGER NOT NULL,
    set_by      TEXT    NOT NULL,
    PRIMARY KEY (contract_id, id),
    FOREIGN KEY (contract_id, employee_id) REFERENCES employees (contract_id, id)
) STRICT, WITHOUT ROWID;

-- A released hold stays; that it does not stand any more, stands here.
CREATE TABLE retention_releases (
    contract_id INTEGER NOT NULL,
    hold_id     BLOB    NOT NULL,
    released_at INTEGER NOT NULL,
    released_by TEXT    NOT NULL,
    PRIMARY KEY (contract_id, hold_id),
    FOREIGN KEY (contract_id, hold_id) REFERENCES retention_holds (contract_id, id)
) STRICT, WITHOUT ROWID;

-- size, root: of the month's closed head. first_date, last_date: days that its events speak about, the month itself
-- included. events: how many there were.
CREATE TABLE retired_months (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    month       TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    root        BLOB    NOT NULL,
    events      INTEGER NOT NULL CHECK (events > 0),
    first_date  TEXT    NOT NULL,
    last_date   TEXT    NOT NULL,
    retired_at  INTEGER NOT NULL,
    PRIMARY KEY (contract_id, month)
) STRICT, WITHOUT ROWID;

-- The numbers of its events, in ranges, and when they happened by their own word (UTC milliseconds). What stands here is
-- not missing, and never taken in again.
CREATE TABLE retired_numbers (
    contract_id  INTEGER NOT NULL,
    terminal_id  BLOB    NOT NULL,
    first_number INTEGER NOT NULL,
    last_number  INTEGER NOT NULL,
    month        TEXT    NOT NULL,
    first_at     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, first_number),
    FOREIGN KEY (contract_id, terminal_id) REFERENCES terminals (contract_id, id),
    FOREIGN KEY (contract_id, month) REFERENCES retired_months (contract_id, month),
    CHECK (first_number > 0 AND first_number <= last_number)
) STRICT, WITHOUT ROWID;

-- Months whose events are all gone; those of retired_months that are not here are still being deleted.
CREATE TABLE emptied_months (
    contract_id INTEGER NOT NULL,
    month       TEXT    NOT NULL,
    emptied_at  INTEGER NOT NULL,
    PRIMARY KEY (contract_id, month),
    FOREIGN KEY (contract_id, month) REFERENCES retired_months (contract_id, month)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER retention_holds_are_not_changed BEFORE UPDATE ON retention_holds
BEGIN SELECT RAISE(ABORT, 'holds are never changed'); END;
CREATE TRIGGER retention_holds_are_not_deleted BEFORE DELETE ON retention_holds
BEGIN SELECT RAISE(ABORT, 'holds are never deleted'); END;
CREATE TRIGGER retention_releases_are_not_changed BEFORE UPDATE ON retention_releases
BEGIN SELECT RAISE(ABORT, 'releases are never changed'); END;
CREATE TRIGGER retention_releases_are_not_deleted BEFORE DELETE ON retention_releases
BEGIN SELECT RAISE(ABORT, 'releases are never deleted'); END;
CREATE TRIGGER retired_months_are_not_changed BEFORE UPDATE ON retired_months
BEGIN SELECT RAISE(ABORT, 'what is retired stays so'); END;
CREATE TRIGGER retired_months_are_not_deleted BEFORE DELETE ON retired_months
BEGIN SELECT RAISE(ABORT, 'what is retired stays so'); END;
CREATE TRIGGER retired_numbers_are_not_changed BEFORE UPDATE ON retired_numbers
BEGIN SELECT RAISE(ABORT, 'what is retired stays so'); END;
CREATE TRIGGER retired_numbers_are_not_deleted BEFORE DELETE ON retired_numbers
BEGIN SELECT RAISE(ABORT, 'what is retired stays so'); END;
CREATE TRIGGER emptied_months_are_not_changed BEFORE UPDATE ON emptied_months
BEGIN SELECT RAISE(ABORT, 'what is retired stays so'); END;
CREATE TRIGGER emptied_months_are_not_deleted BEFORE DELETE ON emptied_months
BEGIN SELECT RAISE(ABORT, 'what is retired stays so'); END;

CREATE TRIGGER retired_months_may_be_retired BEFORE INSERT ON retired_months
WHEN NOT EXISTS (SELECT 1 FROM log_heads h WHERE h.contract_id = new.contract_id AND h.month = new.month
        AND h.size = new.size AND h.closed = 1 AND h.root = new.root)
    OR NOT EXISTS (SELECT 1 FROM contract_settings s WHERE s.contract_id = new.contract_id AND s.retires = 1)
    OR EXISTS (SELECT 1 FROM retention_holds h WHERE h.contract_id = new.contract_id
        AND (h.from_date IS NULL OR h.from_date <= new.last_date)
        AND (h.to_date IS NULL OR h.to_date >= new.first_date)
        AND NOT EXISTS (SELECT 1 FROM retention_releases r
            WHERE r.contract_id = h.contract_id AND r.hold_id = h.id))
BEGIN SELECT RAISE(ABORT, 'this month may not be retired'); END;

-- Events go when their number is retired, leaves when their month is and they are no entry's.
DROP TRIGGER events_are_not_deleted;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM retired_numbers r WHERE r.contract_id = old.contract_id
    AND r.terminal_id = old.terminal_id AND r.first_number <= old.seq AND r.last_number >= old.seq)
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
DROP TRIGGER log_leaves_are_not_deleted;
CREATE TRIGGER log_leaves_are_not_deleted BEFORE DELETE ON log_leaves
WHEN old.terminal_id IS NULL OR NOT EXISTS (SELECT 1 FROM retired_months m
    WHERE m.contract_id = old.contract_id AND m.month = old.month)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- A punch that waited for a link waits no longer.
CREATE TRIGGER punches_wait_no_longer AFTER DELETE ON punches WHEN old.res = 7
BEGIN UPDATE accounts SET waiting = waiting - 1 WHERE contract_id = old.contract_id AND id = old.account_id; END;
