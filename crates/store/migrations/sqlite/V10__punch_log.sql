-- The punch log for large contracts: lists in their order, searches by what people type, saved searches, imports.
-- Frozen: a change is a new file with the next number.

-- Punches of an account that wait for a link, by date; small, because a link empties it.
CREATE INDEX punches_waiting ON punches (contract_id, account_id, local_date) WHERE res = 7;

-- How many these are, kept by the triggers: the inbox is sorted by it and counts without looking at punches.
ALTER TABLE accounts ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
UPDATE accounts SET waiting = (SELECT count(*) FROM punches p INDEXED BY punches_waiting
    WHERE p.contract_id = accounts.contract_id AND p.account_id = accounts.id AND p.res = 7);
CREATE TRIGGER punches_begin_to_wait AFTER INSERT ON punches WHEN new.res = 7
BEGIN UPDATE accounts SET waiting = waiting + 1 WHERE contract_id = new.contract_id AND id = new.account_id; END;
CREATE TRIGGER punches_wait_otherwise AFTER UPDATE OF res ON punches WHEN (new.res IS 7) <> (old.res IS 7)
BEGIN UPDATE accounts SET waiting = waiting + (new.res IS 7) - (old.res IS 7)
    WHERE contract_id = new.contract_id AND id = new.account_id; END;

CREATE INDEX accounts_in_order ON accounts (contract_id, (waiting = 0), domain, name, id);
CREATE INDEX accounts_waiting ON accounts (contract_id, waiting) WHERE waiting > 0;
CREATE INDEX accounts_by_name ON accounts (contract_id, name COLLATE NOCASE);
CREATE INDEX accounts_by_upn ON accounts (contract_id, upn COLLATE NOCASE) WHERE upn IS NOT NULL;

-- Names are typed with and without the space in the middle, readings with and without long vowel marks.
CREATE INDEX employees_by_code ON employees (contract_id, code COLLATE NOCASE);
CREATE INDEX employees_by_name ON employees (contract_id, replace(replace(name, ' ', ''), '　', ''));
CREATE INDEX employees_by_reading ON employees (contract_id,
    replace(replace(replace(kana, ' ', ''), '　', ''), 'ー', ''));

CREATE INDEX account_links_now ON account_links (contract_id, account_id, to_date) WHERE void = 0;
CREATE INDEX account_links_of_employee ON account_links (contract_id, employee_id, to_date, account_id)
    WHERE void = 0;
CREATE INDEX terminals_by_host_name ON terminals (contract_id, host_name COLLATE NOCASE);

-- query: of the list's address. shared: seen by everybody who sees punches of the contract.
CREATE TABLE saved_searches (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    id          BLOB    NOT NULL,
    person_id   BLOB    NOT NULL REFERENCES administrators (id),
    name        TEXT    NOT NULL,
    query       TEXT    NOT NULL,
    shared      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (contract_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX saved_searches_by_person ON saved_searches (contract_id, person_id);

-- Columns that somebody has chosen for the list, names separated by commas.
CREATE TABLE punch_columns (
    person_id BLOB NOT NULL PRIMARY KEY REFERENCES administrators (id),
    columns   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Uploaded files between their dry run and the decision. content: as text. Removed after a day, or when used.
CREATE TABLE imports (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    id          BLOB    NOT NULL,
    person_id   BLOB    NOT NULL REFERENCES administrators (id),
    kind        TEXT    NOT NULL,
    encoding    TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (contract_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_by_age ON imports (created_at);
