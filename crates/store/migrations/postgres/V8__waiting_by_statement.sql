-- Punches that wait for a link are counted once for a statement and account, no longer row by row: a batch of a hundred
-- punches of one account changed the account a hundred times, which was most of what storing it took. SQLite has no twin of
-- this: there a row's trigger costs little. Frozen: a change is a new file with the next number.

DROP TRIGGER punches_begin_to_wait ON punches;
DROP TRIGGER punches_wait_otherwise ON punches;
DROP FUNCTION count_waiting();

CREATE FUNCTION count_begun_to_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts a SET waiting = a.waiting + w.punches
    FROM (SELECT contract_id, account_id, count(*) AS punches FROM added WHERE res = 7 GROUP BY 1, 2) w
    WHERE a.contract_id = w.contract_id AND a.id = w.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER punches_begin_to_wait AFTER INSERT ON punches REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_begun_to_wait();

-- A punch never changes its account.
CREATE FUNCTION count_wait_otherwise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts a SET waiting = a.waiting + w.punches
    FROM (SELECT contract_id, account_id, sum(one) AS punches
          FROM (SELECT contract_id, account_id, 1 AS one FROM now_so WHERE res = 7
                UNION ALL SELECT contract_id, account_id, -1 FROM before WHERE res = 7) x
          GROUP BY 1, 2 HAVING sum(one) <> 0) w
    WHERE a.contract_id = w.contract_id AND a.id = w.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER punches_wait_otherwise AFTER UPDATE ON punches REFERENCING OLD TABLE AS before NEW TABLE AS now_so
    FOR EACH STATEMENT EXECUTE FUNCTION count_wait_otherwise();
