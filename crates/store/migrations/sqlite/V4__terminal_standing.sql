-- What the server remembers of each terminal's numbers and OS runs: truncation, roll-back and copies are seen
-- against it. Frozen: a change is a new file with the next number.

-- The OS run heard last, with its counter (milliseconds since its start) and the server's clock then. Messages that
-- are older than that change none of the three. rolled_back_at: when the terminal
-- last showed that its memory is older than its history; rollbacks: how often. cloned_at: when two PCs were last
-- heard in turns. All three stand until a person has looked into it.
ALTER TABLE terminals ADD COLUMN boot TEXT NOT NULL DEFAULT '';
ALTER TABLE terminals ADD COLUMN boot_counter_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE terminals ADD COLUMN boot_heard_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE terminals ADD COLUMN rolled_back_at INTEGER;
ALTER TABLE terminals ADD COLUMN rollbacks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE terminals ADD COLUMN cloned_at INTEGER;

-- Numbers below a terminal's head under which nothing is stored, as ranges that neither overlap nor wait for
-- anything to be counted: each event that is stored changes one row at most. declared: the word by which the
-- terminal has said that it will not send them; absent while it may. settled: a person has looked into it.
CREATE TABLE missing_numbers (
    contract_id  INTEGER NOT NULL,
    terminal_id  BLOB    NOT NULL,
    first_number INTEGER NOT NULL,
    last_number  INTEGER NOT NULL,
    declared     TEXT,
    settled      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (contract_id, terminal_id, first_number),
    FOREIGN KEY (contract_id, terminal_id) REFERENCES terminals (contract_id, id),
    CHECK (first_number > 0 AND first_number <= last_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX missing_undeclared ON missing_numbers (contract_id, terminal_id, first_number, last_number)
    WHERE declared IS NULL;

-- Holes of before this file. What has been declared is declared once more when the receipts ask for it.
INSERT INTO missing_numbers (contract_id, terminal_id, first_number, last_number)
SELECT contract_id, terminal_id, before + 1, seq - 1
FROM (
    SELECT contract_id, terminal_id, seq,
           lag(seq, 1, 0) OVER (PARTITION BY contract_id, terminal_id ORDER BY seq) AS before
    FROM events
)
WHERE seq > before + 1;

-- OS runs heard before the last one, a few of the newest for each terminal: when each was heard last, and its
-- counter then.
CREATE TABLE earlier_boots (
    contract_id INTEGER NOT NULL,
    terminal_id BLOB    NOT NULL,
    boot        TEXT    NOT NULL,
    counter_ms  INTEGER NOT NULL,
    heard_at    INTEGER NOT NULL,
    PRIMARY KEY (contract_id, terminal_id, boot),
    FOREIGN KEY (contract_id, terminal_id) REFERENCES terminals (contract_id, id)
) STRICT, WITHOUT ROWID;
