-- idle_minutes: after how long without use a session of the contract's people ends, in minutes; 0 for never.
--
-- Contracts of before keep what they had, which is never: nobody's people are signed out by an update. Those that had chosen
-- nothing yet say so from now on, because a contract without a row has the program's default, as new ones do.
ALTER TABLE contract_settings ADD COLUMN idle_minutes INTEGER NOT NULL DEFAULT 0
    CHECK (idle_minutes BETWEEN 0 AND 720);
INSERT INTO contract_settings (contract_id, japanese_years, retention_years)
    SELECT id, 0, 5 FROM contracts WHERE TRUE ON CONFLICT (contract_id) DO NOTHING;
