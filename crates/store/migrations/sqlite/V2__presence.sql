-- Logons without a person (automatic sign-on after an update), and when somebody came. Frozen: a change is
-- a new file with the next number.
--
-- A stay's events come in any order, so what is known of its presence stands by itself and is joined to the
-- logon's row when that is read. stay: SHA-256 over boot, session id, logon and account key of the event;
-- absent on punches taken in before this file, and on those without a session.

ALTER TABLE punches ADD COLUMN stay BLOB;

-- One row for each stay that began without a person. present_from: the first unlock, once it has come;
-- present_not_after: the end of its interval, when only that is known.
CREATE TABLE unattended_stays (
    contract_id       INTEGER NOT NULL,
    terminal_id       BLOB    NOT NULL,
    stay              BLOB    NOT NULL,
    present_from      INTEGER,
    present_not_after INTEGER,
    PRIMARY KEY (contract_id, terminal_id, stay),
    FOREIGN KEY (contract_id, terminal_id) REFERENCES terminals (contract_id, id)
) STRICT, WITHOUT ROWID;
