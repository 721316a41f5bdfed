-- Retention: months of the log whose time is over are retired and stay provable; the same as SQLite's V16, whose comments
-- explain it. Frozen: a change is a new file with the next number.

ALTER TABLE contract_settings ADD COLUMN retires BIGINT NOT NULL DEFAULT 0 CHECK (retires IN (0, 1));

-- 保存延長: while a hold stands, no month with a day between its dates is retired.
CREATE TABLE retention_holds (
    contract_id BIGINT NOT NULL REFERENCES contracts (id),
    id          BYTEA NOT NULL,
    employee_id BYTEA,
    from_date   TEXT COLLATE "C",
    to_date     TEXT COLLATE "C",
    reason      TEXT COLLATE "C" NOT NULL,
    set_at      BIGINT NOT NULL,
    set_by      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (contract_id, id),
    FOREIGN KEY (contract_id, employee_id) REFERENCES employees (contract_id, id)
);

CREATE TABLE retention_releases (
    contract_id BIGINT NOT NULL,
    hold_id     BYTEA NOT NULL,
    released_at BIGINT NOT NULL,
    released_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (contract_id, hold_id),
    FOREIGN KEY (contract_id, hold_id) REFERENCES retention_holds (contract_id, id)
);

CREATE TABLE retired_months (
    contract_id BIGINT NOT NULL REFERENCES contracts (id),
    month       TEXT COLLATE "C" NOT NULL,
    size        BIGINT NOT NULL,
    root        BYTEA NOT NULL,
    events      BIGINT NOT NULL CHECK (events > 0),
    first_date  TEXT COLLATE "C" NOT NULL,
    last_date   TEXT COLLATE "C" NOT NULL,
    retired_at  BIGINT NOT NULL,
    PRIMARY KEY (contract_id, month)
);

CREATE TABLE retired_numbers (
    contract_id  BIGINT NOT NULL,
    terminal_id  BYTEA NOT NULL,
    first_number BIGINT NOT NULL,
    last_number  BIGINT NOT NULL,
    month        TEXT COLLATE "C" NOT NULL,
    first_at     BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, first_number),
    FOREIGN KEY (contract_id, terminal_id) REFERENCES terminals (contract_id, id),
    FOREIGN KEY (contract_id, month) REFERENCES retired_months (contract_id, month),
    CHECK (first_number > 0 AND first_number <= last_number)
);

CREATE TABLE emptied_months (
    contract_id BIGINT NOT NULL,
    month       TEXT COLLATE "C" NOT NULL,
    emptied_at  BIGINT NOT NULL,
    PRIMARY KEY (contract_id, month),
    FOREIGN KEY (contract_id, month) REFERENCES retired_months (contract_id, month)
);

CREATE TRIGGER retention_holds_is_frozen BEFORE UPDATE OR DELETE ON retention_holds FOR EACH ROW
    EXECUTE FUNCTION refuse('holds are never changed or deleted');
CREATE TRIGGER retention_holds_is_not_emptied BEFORE TRUNCATE ON retention_holds EXECUTE FUNCTION refuse('holds are never changed or deleted');
CREATE TRIGGER retention_releases_is_frozen BEFORE UPDATE OR DELETE ON retention_releases FOR EACH ROW
    EXECUTE FUNCTION refuse('releases are never changed or deleted');
CREATE TRIGGER retention_releases_is_not_emptied BEFORE TRUNCATE ON retention_releases EXECUTE FUNCTION refuse('releases are never changed or deleted');
CREATE TRIGGER retired_months_is_frozen BEFORE UPDATE OR DELETE ON retired_months FOR EACH ROW
    EXECUTE FUNCTION refuse('what is retired stays so');
CREATE TRIGGER retired_months_is_not_emptied BEFORE TRUNCATE ON retired_months EXECUTE FUNCTION refuse('what is retired stays so');
CREATE TRIGGER retired_numbers_is_frozen BEFORE UPDATE OR DELETE ON retired_numbers FOR EACH ROW
    EXECUTE FUNCTION refuse('what is retired stays so');
CREATE TRIGGER retired_numbers_is_not_emptied BEFORE TRUNCATE ON retired_numbers EXECUTE FUNCTION refuse('what is retired stays so');
CREATE TRIGGER emptied_months_is_frozen BEFORE UPDATE OR DELETE ON emptied_months FOR EACH ROW
    EXECUTE FUNCTION refuse('what is retired stays so');
CREATE TRIGGER emptied_months_is_not_emptied BEFORE TRUNCATE ON emptied_months EXECUTE FUNCTION refuse('what is retired stays so');

CREATE FUNCTION refuse_to_retire() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM log_heads h WHERE h.contract_id = NEW.contract_id AND h.month = NEW.month
            AND h.size = NEW.size AND h.closed = 1 AND h.root = NEW.root)
        OR NOT EXISTS (SELECT 1 FROM contract_settings s WHERE s.contract_id = NEW.contract_id AND s.retires = 1)
        OR EXISTS (SELECT 1 FROM retention_holds h WHERE h.contract_id = NEW.contract_id
            AND (h.from_date IS NULL OR h.from_date <= NEW.last_date)
            AND (h.to_date IS NULL OR h.to_date >= NEW.first_date)
            AND NOT EXISTS (SELECT 1 FROM retention_releases r
                WHERE r.contract_id = h.contract_id AND r.hold_id = h.id))
    THEN
        RAISE EXCEPTION 'this month may not be retired' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retired_months_may_be_retired BEFORE INSERT ON retired_months FOR EACH ROW
    EXECUTE FUNCTION refuse_to_retire();

-- Events go when their number is retired, leaves when their month is and they are no entry's.
CREATE FUNCTION refuse_to_delete_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM retired_numbers r WHERE r.contract_id = OLD.contract_id
        AND r.terminal_id = OLD.terminal_id AND r.first_number <= OLD.seq AND r.last_number >= OLD.seq)
    THEN
        RAISE EXCEPTION 'events are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE FUNCTION refuse_to_delete_leaf() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.terminal_id IS NULL OR NOT EXISTS (SELECT 1 FROM retired_months m
        WHERE m.contract_id = OLD.contract_id AND m.month = OLD.month)
    THEN
        RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
DROP TRIGGER events_is_frozen ON events;
CREATE TRIGGER events_is_frozen BEFORE UPDATE ON events FOR EACH ROW
    EXECUTE FUNCTION refuse('events are never changed or deleted');
CREATE TRIGGER events_go_when_retired BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_to_delete_event();
DROP TRIGGER log_leaves_is_frozen ON log_leaves;
CREATE TRIGGER log_leaves_is_frozen BEFORE UPDATE ON log_leaves FOR EACH ROW
    EXECUTE FUNCTION refuse('the log is append-only');
CREATE TRIGGER log_leaves_go_when_retired BEFORE DELETE ON log_leaves FOR EACH ROW
    EXECUTE FUNCTION refuse_to_delete_leaf();

-- A punch that waited for a link waits no longer.
CREATE FUNCTION count_no_longer_waiting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET waiting = waiting - 1 WHERE contract_id = OLD.contract_id AND id = OLD.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER punches_wait_no_longer AFTER DELETE ON punches FOR EACH ROW WHEN (OLD.res = 7)
    EXECUTE FUNCTION count_no_longer_waiting();
