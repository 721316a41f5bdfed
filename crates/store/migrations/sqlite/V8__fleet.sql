-- How the terminals do over days, what people have decided about each, and enrolment keys that end. Frozen: a
-- change is a new file with the next number.

-- waiting_rises: contacts in a row at which more events waited on the PC than at the contact before; one at which
-- fewer wait begins anew. reenroll_until: until when the terminal may be enrolled again whatever its enrolment key
-- is. note: what people want to remember of it, with who wrote it and when.
ALTER TABLE terminals ADD COLUMN waiting_rises INTEGER NOT NULL DEFAULT 0;
ALTER TABLE terminals ADD COLUMN reenroll_until INTEGER;
ALTER TABLE terminals ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE terminals ADD COLUMN note_by TEXT;
ALTER TABLE terminals ADD COLUMN note_at INTEGER;
CREATE INDEX terminals_by_name ON terminals (contract_id, host_name, id);

-- One row for each day (of the contract's zone) on which the terminal was heard of: a line of its timeline costs
-- one row, however often it speaks. offset: the server's clock less the terminal's, in milliseconds. Only the
-- newest days of a terminal are kept.
CREATE TABLE contact_days (
    contract_id   INTEGER NOT NULL,
    terminal_id   BLOB    NOT NULL,
    day           TEXT    NOT NULL,
    first_at      INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    contacts      INTEGER NOT NULL,
    waiting_max   INTEGER NOT NULL,
    offset_min_ms INTEGER NOT NULL,
    offset_max_ms INTEGER NOT NULL,
    agent_version TEXT    NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, day),
    FOREIGN KEY (contract_id, terminal_id) REFERENCES terminals (contract_id, id)
) STRICT, WITHOUT ROWID;

-- Enrolments and changes of the agent's version. what: 'enrolled', 'enrolled_again' or 'version'. Only the newest
-- rows of a terminal are kept.
CREATE TABLE terminal_history (
    contract_id   INTEGER NOT NULL,
    terminal_id   BLOB    NOT NULL,
    number        INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    what          TEXT    NOT NULL,
    host_name     TEXT    NOT NULL,
    agent_version TEXT    NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, number),
    FOREIGN KEY (contract_id, terminal_id) REFERENCES terminals (contract_id, id)
) STRICT, WITHOUT ROWID;

-- Terminals of before this file: what is known is the first enrolment; the version is that of today.
INSERT INTO terminal_history (contract_id, terminal_id, number, at, what, host_name, agent_version)
SELECT contract_id, id, 1, enrolled_at, 'enrolled', host_name, agent_version FROM terminals;

-- number: how people name a key, of which only the hash is kept. uses: PCs that have become terminals by it.
ALTER TABLE enrollment_keys ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE enrollment_keys ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollment_keys ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollment_keys ADD COLUMN expires_at INTEGER;
ALTER TABLE enrollment_keys ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE enrollment_keys ADD COLUMN uses_max INTEGER;
ALTER TABLE enrollment_keys ADD COLUMN last_used_at INTEGER;
UPDATE enrollment_keys SET number = (
    SELECT count(*) FROM enrollment_keys AS earlier WHERE earlier.contract_id = enrollment_keys.contract_id
    AND (earlier.created_at, earlier.key_hash) <= (enrollment_keys.created_at, enrollment_keys.key_hash));
CREATE UNIQUE INDEX enrollment_keys_by_number ON enrollment_keys (contract_id, number);
