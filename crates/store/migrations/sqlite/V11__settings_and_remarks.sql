-- Settings of contracts, remarks of employees, who looked at whose record, how the database grows, and the ways into
-- the audit log. Frozen: a change is a new file with the next number.

-- One row for each contract that has chosen something; the program's defaults hold for the others.
-- day_begins_minutes: when a work day begins, in minutes after midnight;
-- absent while the server's setting holds. japanese_years: dates in headings are written
-- 令和8年. language: for browsers that ask for none of ours; absent when the browser decides.
CREATE TABLE contract_settings (
    contract_id        INTEGER NOT NULL PRIMARY KEY REFERENCES contracts (id),
    day_begins_minutes INTEGER CHECK (day_begins_minutes BETWEEN 0 AND 1439),
    japanese_years     INTEGER NOT NULL,
    retention_years    INTEGER NOT NULL CHECK (retention_years IN (3, 5)),
    language           TEXT
) STRICT;

-- What employees say about an interval of one of their days. Kept beside the events, never changed, never deleted.
-- from_minutes, to_minutes: after midnight of the date; beyond 1440 on the next day.
CREATE TABLE remarks (
    contract_id  INTEGER NOT NULL,
    id           BLOB    NOT NULL,
    employee_id  BLOB    NOT NULL,
    date         TEXT    NOT NULL,
    from_minutes INTEGER NOT NULL,
    to_minutes   INTEGER NOT NULL,
    text         TEXT    NOT NULL,
    made_at      INTEGER NOT NULL,
    made_by      TEXT    NOT NULL,
    PRIMARY KEY (contract_id, id),
    FOREIGN KEY (contract_id, employee_id) REFERENCES employees (contract_id, id),
    CHECK (0 <= from_minutes AND from_minutes < to_minutes AND to_minutes <= 2880)
) STRICT, WITHOUT ROWID;
CREATE INDEX remarks_by_day ON remarks (contract_id, employee_id, date);

CREATE TRIGGER remarks_are_not_changed BEFORE UPDATE ON remarks
BEGIN SELECT RAISE(ABORT, 'remarks are never changed'); END;
CREATE TRIGGER remarks_are_not_deleted BEFORE DELETE ON remarks
BEGIN SELECT RAISE(ABORT, 'remarks are never deleted'); END;

-- A withdrawn remark stays; that it does not hold any more, stands here.
CREATE TABLE remark_withdrawals (
    contract_id  INTEGER NOT NULL,
    remark_id    BLOB    NOT NULL,
    withdrawn_at INTEGER NOT NULL,
    withdrawn_by TEXT    NOT NULL,
    PRIMARY KEY (contract_id, remark_id),
    FOREIGN KEY (contract_id, remark_id) REFERENCES remarks (contract_id, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER remark_withdrawals_are_not_changed BEFORE UPDATE ON remark_withdrawals
BEGIN SELECT RAISE(ABORT, 'withdrawals are never changed'); END;
CREATE TRIGGER remark_withdrawals_are_not_deleted BEFORE DELETE ON remark_withdrawals
BEGIN SELECT RAISE(ABORT, 'withdrawals are never deleted'); END;

-- Which looks at somebody's record stand in the audit log already: one per person, employee, page and hour. Rows of
-- past days are removed; the entries of the audit log stay. hour: hours since 1970 UTC.
CREATE TABLE record_views (
    contract_id INTEGER NOT NULL,
    by_whom     TEXT    NOT NULL,
    employee_id BLOB    NOT NULL,
    page        TEXT    NOT NULL,
    hour        INTEGER NOT NULL,
    PRIMARY KEY (contract_id, by_whom, employee_id, page, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_views_by_hour ON record_views (hour);

-- Size of the database at the first look of each day (UTC): what growth is told by.
CREATE TABLE storage_sizes (
    day   TEXT    NOT NULL PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Newest first by time, alone and under each thing one asks for; person and action carry the other's column, so that
-- both together are found without reading the entries.
CREATE INDEX audit_by_time ON audit (contract_id, at, id);
CREATE INDEX audit_by_person ON audit (contract_id, by_whom, at, id, action);
CREATE INDEX audit_by_action ON audit (contract_id, action, at, id, by_whom);
CREATE INDEX audit_by_object ON audit (contract_id, object, at, id);

-- People of a contract are counted beside it.
CREATE INDEX administrators_by_contract ON administrators (contract_id);
