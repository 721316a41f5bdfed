-- What people sign in with besides a password, failed sign-ins, tokens for programs, and which roles must have a
-- second factor. Frozen: a change is a new file with the next number.

-- sealed: the secret, encrypted with a key derived from the server's; the database alone makes no codes.
-- last_step: the newest 30-second step whose code has been used; a code of it or before counts no more.
CREATE TABLE totp_secrets (
    administrator_id BLOB    NOT NULL PRIMARY KEY REFERENCES administrators (id),
    sealed           BLOB    NOT NULL,
    last_step        INTEGER NOT NULL,
    made_at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- credential: public key and counters, as JSON of the server's; the store does not read it.
CREATE TABLE passkeys (
    id               BLOB    NOT NULL PRIMARY KEY,
    administrator_id BLOB    NOT NULL REFERENCES administrators (id),
    credential_id    BLOB    NOT NULL UNIQUE,
    name             TEXT    NOT NULL,
    credential       TEXT    NOT NULL,
    made_at          INTEGER NOT NULL,
    used_at          INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_person ON passkeys (administrator_id);

-- hash: SHA-256 of 128 random bits; there is nothing to guess, so it need not be slow.
CREATE TABLE recovery_codes (
    administrator_id BLOB    NOT NULL REFERENCES administrators (id),
    hash             BLOB    NOT NULL,
    used_at          INTEGER,
    PRIMARY KEY (administrator_id, hash)
) STRICT, WITHOUT ROWID;

-- Who somebody is at another provider (OpenID Connect).
CREATE TABLE provider_subjects (
    issuer           TEXT    NOT NULL,
    subject          TEXT    NOT NULL,
    administrator_id BLOB    NOT NULL REFERENCES administrators (id),
    made_at          INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_subjects_by_person ON provider_subjects (administrator_id);

-- hash: SHA-256 of the token. used_at: to the hour.
CREATE TABLE api_tokens (
    id               BLOB    NOT NULL PRIMARY KEY,
    administrator_id BLOB    NOT NULL REFERENCES administrators (id),
    hash             BLOB    NOT NULL UNIQUE,
    name             TEXT    NOT NULL,
    made_at          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    used_at          INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_tokens_by_person ON api_tokens (administrator_id);

-- By SHA-256 of what was typed as the login, whether or not it exists, so that both are treated alike. before_at:
-- last_at before the newest try, to which it goes back when that try turns out right.
CREATE TABLE sign_in_failures (
    login_hash BLOB    NOT NULL PRIMARY KEY,
    failures   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    before_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last_at);

-- A row: people of this role cannot work without a second factor.
CREATE TABLE second_factor_roles (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    role        TEXT    NOT NULL,
    PRIMARY KEY (contract_id, role)
) STRICT, WITHOUT ROWID;

-- When the session was last used, to some minutes: not every page is a write.
ALTER TABLE web_sessions ADD COLUMN seen_at INTEGER;
