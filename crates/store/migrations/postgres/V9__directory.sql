-- What a company's directory says of an employee: the UPN (in small letters) and the SID. Each is one person's, so that an
-- account that comes with it has one suggestion. Frozen: a change is a new file with the next number.

ALTER TABLE employees ADD COLUMN upn TEXT;
ALTER TABLE employees ADD COLUMN sid TEXT;
CREATE UNIQUE INDEX employees_by_upn ON employees (contract_id, upn) WHERE upn IS NOT NULL;
CREATE UNIQUE INDEX employees_by_sid ON employees (contract_id, sid) WHERE sid IS NOT NULL;
