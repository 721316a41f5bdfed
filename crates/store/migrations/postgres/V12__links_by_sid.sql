-- links_by_sid: who has said that a Windows user whose SID was entered at an employee is linked by itself; absent while
-- nobody has. Frozen: a change is a new file with the next number.
ALTER TABLE contract_settings ADD COLUMN links_by_sid TEXT COLLATE "C";
-- Asked each minute for those who have: few, or none.
CREATE INDEX contract_settings_links_by_sid ON contract_settings (contract_id) WHERE links_by_sid IS NOT NULL;
-- Compared with the keys and UPNs of accounts, by an index: in their collation, as all texts.
ALTER TABLE employees ALTER COLUMN upn TYPE TEXT COLLATE "C", ALTER COLUMN sid TYPE TEXT COLLATE "C";
