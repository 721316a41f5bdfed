-- The index of an account's punches has their kind, too: what the days of a thousand people come to is read from it alone,
-- since the rows lie far apart. A punch is written into as many places as before.
DROP INDEX punches_by_account;
CREATE INDEX punches_by_account ON punches (contract_id, account_id, occurred_at, terminal_id, seq, kind);
-- Punches whose time is not known as a point are few, and must not be taken for others.
CREATE INDEX punches_ranged_by_account ON punches (contract_id, account_id, occurred_at, terminal_id, seq)
    WHERE not_before IS NOT NULL OR evidence = 'inferred';
