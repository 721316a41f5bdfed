-- Remarks that were read are found again, those of a month are counted, and whoever reads one may answer. Frozen: a
-- change is a new file with the next number.

-- What whoever read a remark says about it, for the employee; absent when they say nothing.
ALTER TABLE remark_readings ADD COLUMN answer TEXT;
-- Every remark by the time at which it was made.
CREATE INDEX remarks_as_made ON remarks (contract_id, made_at, id);
-- Who said something about the days of a month.
CREATE INDEX remarks_by_date ON remarks (contract_id, date, employee_id);
