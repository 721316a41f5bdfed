-- Errors of one account, or of the few of an employee or a department, without reading their other punches.
CREATE INDEX punches_errors_by_account ON punches (contract_id, account_id, occurred_at, terminal_id, seq)
    WHERE res IS NOT NULL;
