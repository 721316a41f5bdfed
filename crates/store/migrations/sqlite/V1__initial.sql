-- What the server keeps. Frozen: a change is a new file with the next number.
--
-- Times are UTC milliseconds, dates are 'YYYY-MM-DD' in the contract's zone, row ids are 16-byte UUIDs.
-- Every key begins with the contract: rows of different contracts never share a key range, and a
-- distributed database can split on that column without change.

CREATE TABLE contracts (
    id                 INTEGER PRIMARY KEY,
    code               TEXT    NOT NULL UNIQUE,
    name               TEXT    NOT NULL,
    status             TEXT    NOT NULL CHECK (status IN ('active', 'suspended')),
    logon_punch_option INTEGER NOT NULL,
    created_at         INTEGER NOT NULL
) STRICT;

CREATE TABLE enrollment_keys (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    key_hash    BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    PRIMARY KEY (contract_id, key_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE terminals (
    contract_id     INTEGER NOT NULL REFERENCES contracts (id),
    id              BLOB    NOT NULL,
    public_key      TEXT    NOT NULL,
    host_name       TEXT    NOT NULL,
    os              TEXT    NOT NULL,
    makeup          TEXT    NOT NULL,
    key_class       TEXT    NOT NULL,
    agent_version   TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('active', 'blocked', 'retired')),
    enrolled_at     INTEGER NOT NULL,
    last_contact_at INTEGER,
    head            INTEGER NOT NULL DEFAULT 0,
    waiting         INTEGER NOT NULL DEFAULT 0,
    clock_offset_ms INTEGER NOT NULL DEFAULT 0,
    conflict        INTEGER NOT NULL DEFAULT 0,
    makeup_changed  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (contract_id, id),
    UNIQUE (contract_id, public_key)
) STRICT, WITHOUT ROWID;

-- Facts as they came. Never updated, never deleted. A rowid table: rows are appended, only the small key
-- index is written in random places.
CREATE TABLE events (
    contract_id     INTEGER NOT NULL,
    terminal_id     BLOB    NOT NULL,
    seq             INTEGER NOT NULL,
    hash            BLOB    NOT NULL,
    json            TEXT    NOT NULL,
    occurred_at     INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    resent          INTEGER NOT NULL,
    clock_offset_ms INTEGER NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, seq),
    FOREIGN KEY (contract_id, terminal_id) REFERENCES terminals (contract_id, id)
) STRICT;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TABLE accounts (
    contract_id   INTEGER NOT NULL REFERENCES contracts (id),
    id            BLOB    NOT NULL,
    key           TEXT    NOT NULL,
    domain        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    upn           TEXT,
    first_seen_at INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    PRIMARY KEY (contract_id, id),
    UNIQUE (contract_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_names (
    contract_id INTEGER NOT NULL,
    account_id  BLOB    NOT NULL,
    number      INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    domain      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    upn         TEXT,
    PRIMARY KEY (contract_id, account_id, number),
    FOREIGN KEY (contract_id, account_id) REFERENCES accounts (contract_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE employees (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    id          BLOB    NOT NULL,
    code        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    kana        TEXT,
    department  TEXT,
    active_from TEXT,
    active_to   TEXT,
    PRIMARY KEY (contract_id, id),
    UNIQUE (contract_id, code)
) STRICT, WITHOUT ROWID;

-- Links are kept for ever: one that was wrong is void, one that is over has a last date.
CREATE TABLE account_links (
    contract_id INTEGER NOT NULL,
    id          BLOB    NOT NULL,
    account_id  BLOB    NOT NULL,
    employee_id BLOB    NOT NULL,
    from_date   TEXT    NOT NULL,
    to_date     TEXT,
    void        INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    created_by  TEXT    NOT NULL,
    ended_at    INTEGER,
    ended_by    TEXT,
    PRIMARY KEY (contract_id, id),
    FOREIGN KEY (contract_id, account_id) REFERENCES accounts (contract_id, id),
    FOREIGN KEY (contract_id, employee_id) REFERENCES employees (contract_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_links_by_account ON account_links (contract_id, account_id);
CREATE INDEX account_links_by_employee ON account_links (contract_id, employee_id);

-- Logons and logoffs, in the order of the list, with what the server thinks of them now.
-- hindrance: 5, 6 or 8, see judge.rs. res: absent when accepted.
CREATE TABLE punches (
    contract_id    INTEGER NOT NULL,
    occurred_at    INTEGER NOT NULL,
    terminal_id    BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    evidence       TEXT    NOT NULL,
    not_before     INTEGER,
    not_after      INTEGER,
    received_at    INTEGER NOT NULL,
    resent         INTEGER NOT NULL,
    account_id     BLOB    NOT NULL,
    local_date     TEXT    NOT NULL,
    makeup_changed INTEGER NOT NULL,
    hindrance      INTEGER,
    employee_id    BLOB,
    res            INTEGER,
    PRIMARY KEY (contract_id, occurred_at, terminal_id, seq),
    FOREIGN KEY (contract_id, terminal_id, seq) REFERENCES events (contract_id, terminal_id, seq),
    FOREIGN KEY (contract_id, account_id) REFERENCES accounts (contract_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX punches_by_account ON punches (contract_id, account_id, occurred_at, terminal_id, seq);
CREATE INDEX punches_by_terminal ON punches (contract_id, terminal_id, occurred_at, seq);
CREATE INDEX punches_errors ON punches (contract_id, occurred_at, terminal_id, seq, res, account_id)
    WHERE res IS NOT NULL;
CREATE INDEX punches_unjudged ON punches (contract_id) WHERE res = 9;

-- Every result a punch has had.
CREATE TABLE judgements (
    contract_id INTEGER NOT NULL,
    terminal_id BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    judged_at   INTEGER NOT NULL,
    res         INTEGER,
    why         TEXT    NOT NULL,
    judged_by   TEXT    NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, seq, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE administrators (
    id            BLOB    NOT NULL PRIMARY KEY,
    login         TEXT    NOT NULL UNIQUE,
    display_name  TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    contract_id   INTEGER REFERENCES contracts (id),
    created_at    INTEGER NOT NULL,
    CHECK ((role = 'operator') = (contract_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE web_sessions (
    id         TEXT    NOT NULL PRIMARY KEY,
    data       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX web_sessions_by_end ON web_sessions (expires_at);

-- What could not be taken as a terminal's word. Bounded; what found no room is counted.
CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    contract    TEXT    NOT NULL,
    terminal    TEXT    NOT NULL,
    body        BLOB    NOT NULL
) STRICT;
CREATE INDEX quarantine_by_sender ON quarantine (contract, terminal, reason);
CREATE TABLE quarantine_counts (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    kept         INTEGER NOT NULL,
    kept_bytes   INTEGER NOT NULL,
    counted_only INTEGER NOT NULL
) STRICT;
INSERT INTO quarantine_counts VALUES (1, 0, 0, 0);

CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    by_whom     TEXT    NOT NULL,
    contract_id INTEGER,
    action      TEXT    NOT NULL,
    object      TEXT    NOT NULL,
    detail      TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_by_contract ON audit (contract_id, id);
