-- A PC that is enrolled is compared with those that are blocked, which are few: not with all. The same as SQLite's V27.
-- Frozen: a change is a new file with the next number.
CREATE INDEX terminals_blocked ON terminals (contract_id, enrolled_at, id) WHERE status = 'blocked';
