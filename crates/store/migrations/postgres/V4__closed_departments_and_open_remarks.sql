-- Departments end, and remarks that nobody has looked at yet are found at once: the same as SQLite's V15. Frozen: a
-- change is a new file with the next number.

-- Last date of a department; absent while it has none. It stays, with its people and its place in the tree.
ALTER TABLE departments ADD COLUMN closed_on TEXT COLLATE "C";

-- Somebody who is responsible has read a remark. Never changed, never deleted.
CREATE TABLE remark_readings (
    contract_id BIGINT NOT NULL,
    remark_id   BYTEA NOT NULL,
    read_at     BIGINT NOT NULL,
    read_by     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (contract_id, remark_id),
    FOREIGN KEY (contract_id, remark_id) REFERENCES remarks (contract_id, id)
);
CREATE TRIGGER remark_readings_is_frozen BEFORE UPDATE OR DELETE ON remark_readings FOR EACH ROW
    EXECUTE FUNCTION refuse('readings are never changed or deleted');
CREATE TRIGGER remark_readings_is_not_emptied BEFORE TRUNCATE ON remark_readings EXECUTE FUNCTION refuse('readings are never changed or deleted');

-- Remarks that are neither withdrawn nor read, the newest last: kept with every remark, so that nobody looks through all.
CREATE TABLE open_remarks (
    contract_id BIGINT NOT NULL,
    made_at     BIGINT NOT NULL,
    remark_id   BYTEA NOT NULL,
    employee_id BYTEA NOT NULL,
    PRIMARY KEY (contract_id, made_at, remark_id),
    FOREIGN KEY (contract_id, remark_id) REFERENCES remarks (contract_id, id)
);
CREATE INDEX open_remarks_by_employee ON open_remarks (contract_id, employee_id);

INSERT INTO open_remarks (contract_id, made_at, remark_id, employee_id)
SELECT r.contract_id, r.made_at, r.id, r.employee_id FROM remarks r WHERE NOT EXISTS (
    SELECT 1 FROM remark_withdrawals w WHERE w.contract_id = r.contract_id AND w.remark_id = r.id);
