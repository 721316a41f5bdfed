-- Punches that follow from other facts (推定) are few and looked for at the end of each month: of everybody, and of an account.
CREATE INDEX punches_inferred ON punches (contract_id, occurred_at, terminal_id, seq)
    WHERE evidence = 'inferred';
CREATE INDEX punches_inferred_by_account ON punches (contract_id, account_id, occurred_at, terminal_id, seq)
    WHERE evidence = 'inferred';
