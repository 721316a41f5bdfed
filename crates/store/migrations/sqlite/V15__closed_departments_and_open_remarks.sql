-- Departments end, and remarks that nobody has looked at yet are found at once. Frozen: a change is a new file with the
-- next number.

-- Last date of a department; absent while it has none. It stays, with its people and its place in the tree.
ALTER TABLE departments ADD COLUMN closed_on TEXT;

-- Somebody who is responsible has read a remark. Never changed, never deleted.
CREATE TABLE remark_readings (
    contract_id INTEGER NOT NULL,
    remark_id   BLOB    NOT NULL,
    read_at     INTEGER NOT NULL,
    read_by     TEXT    NOT NULL,
    PRIMARY KEY (contract_id, remark_id),
    FOREIGN KEY (contract_id, remark_id) REFERENCES remarks (contract_id, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER remark_readings_are_not_changed BEFORE UPDATE ON remark_readings
BEGIN SELECT RAISE(ABORT, 'readings are never changed'); END;
CREATE TRIGGER remark_readings_are_not_deleted BEFORE DELETE ON remark_readings
BEGIN SELECT RAISE(ABORT, 'readings are never deleted'); END;

-- Remarks that are neither withdrawn nor read, the newest last: kept with every remark, so that nobody looks through all.
CREATE TABLE open_remarks (
    contract_id INTEGER NOT NULL,
    made_at     INTEGER NOT NULL,
    remark_id   BLOB    NOT NULL,
    employee_id BLOB    NOT NULL,
    PRIMARY KEY (contract_id, made_at, remark_id),
    FOREIGN KEY (contract_id, remark_id) REFERENCES remarks (contract_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_remarks_by_employee ON open_remarks (contract_id, employee_id);

INSERT INTO open_remarks (contract_id, made_at, remark_id, employee_id)
SELECT r.contract_id, r.made_at, r.id, r.employee_id FROM remarks r WHERE NOT EXISTS (
    SELECT 1 FROM remark_withdrawals w WHERE w.contract_id = r.contract_id AND w.remark_id = r.id);
