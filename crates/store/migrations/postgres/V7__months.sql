-- Batches and receipts lie by the month of their receipt (UTC), a partition each: docs/adr/0004-months-on-postgresql.md.
-- SQLite has no twin of this. Frozen: a change is a new file with the next number.
--
-- Partitions are named batches_2026_11; what has no month of its own lies in batches_rest, so that no insert ever fails for
-- want of a partition. The functions below wait for nobody longer than 200 ms: whoever takes in events waits behind them.

ALTER TABLE batches RENAME TO batches_before;
ALTER TABLE batches_before DROP CONSTRAINT batches_pkey;
CREATE TABLE batches (
    contract_id BIGINT NOT NULL,
    terminal_id BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    digest      BYTEA NOT NULL,
    signature   TEXT COLLATE "C" NOT NULL,
    frame       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, received_at, digest)
) PARTITION BY RANGE (received_at);
CREATE TABLE batches_rest PARTITION OF batches DEFAULT;

ALTER TABLE receipts RENAME TO receipts_before;
ALTER TABLE receipts_before DROP CONSTRAINT receipts_pkey;
CREATE TABLE receipts (
    contract_id BIGINT NOT NULL,
    terminal_id BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    request     BYTEA NOT NULL,
    envelope    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, received_at, request)
) PARTITION BY RANGE (received_at);
CREATE TABLE receipts_rest PARTITION OF receipts DEFAULT;

-- Makes the partition of a month (YYYY-MM) of a table, unless it is there; what has come for it before is moved into it.
-- FALSE when that is too much to be moved while others wait: the month then stays where it is.
CREATE FUNCTION make_month(whole text, month text) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    first_day date := (month || '-01')::date;
    begins bigint := extract(epoch FROM first_day) * 1000;
    ends bigint := extract(epoch FROM first_day + interval '1 month') * 1000;
    part text := whole || '_' || replace(month, '-', '_');
    rest text := whole || '_rest';
    early bigint;
BEGIN
    -- Who makes one at the same time waits here, and finds it there.
    EXECUTE format('LOCK TABLE ONLY %I IN SHARE UPDATE EXCLUSIVE MODE', whole);
    IF EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = whole::regclass AND inhrelid = to_regclass(part)) THEN
        RETURN TRUE;
    END IF;
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', rest);
    EXECUTE format('SELECT count(*) FROM (SELECT 1 FROM %I WHERE received_at >= %s AND received_at < %s LIMIT 10001) x',
        rest, begins, ends) INTO early;
    IF early > 10000 THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, whole);
    IF early > 0 THEN
        EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE received_at >= %s AND received_at < %s', part, rest, begins, ends);
        EXECUTE format('DELETE FROM %I WHERE received_at >= %s AND received_at < %s', rest, begins, ends);
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', whole, part, begins, ends);
    RETURN TRUE;
END $$;

-- Partitions of months before a month (YYYY-MM) in which there is no row.
CREATE FUNCTION empty_months(before text) RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
DECLARE
    part text;
    filled boolean;
BEGIN
    FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('batches'::regclass, 'receipts'::regclass) AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
            AND right(c.relname, 7) COLLATE "C" < replace(before, '-', '_') ORDER BY 1
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', part) INTO filled;
        IF NOT filled THEN
            RETURN NEXT part;
        END IF;
    END LOOP;
END $$;

-- Drops the partition of a month if there is no row in it; whether that was so. Locks are taken in the order in which
-- readers take theirs.
CREATE FUNCTION drop_month(part text) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    whole regclass := (SELECT inhparent FROM pg_inherits WHERE inhrelid = to_regclass(part));
    filled boolean;
BEGIN
    IF whole IS NULL OR part !~ '_[0-9]{4}_[0-9]{2}$' THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', whole);
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', part);
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', part) INTO filled;
    IF filled THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('DROP TABLE %I', part);
    RETURN TRUE;
END $$;

-- The months that there are, and by the database's clock this one and the next two. A time outside of the calendar stays
-- without a month.
DO $$
DECLARE
    month text;
BEGIN
    FOR month IN
        SELECT DISTINCT to_char(to_timestamp(received_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM')
        FROM (SELECT received_at FROM batches_before UNION ALL SELECT received_at FROM receipts_before) x
        WHERE received_at BETWEEN 0 AND 253402300799999
        UNION
        SELECT to_char((now() AT TIME ZONE 'UTC') + n * interval '1 month', 'YYYY-MM') FROM generate_series(0, 2) n
    LOOP
        PERFORM make_month('batches', month), make_month('receipts', month);
    END LOOP;
END $$;

INSERT INTO batches SELECT * FROM batches_before;
DROP TABLE batches_before;
INSERT INTO receipts SELECT * FROM receipts_before;
DROP TABLE receipts_before;
