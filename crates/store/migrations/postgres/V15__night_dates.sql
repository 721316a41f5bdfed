-- A logoff that ends a night keeps the date of its evening. When a contract chooses another day boundary, those dates are put
-- right, a piece at a time: here stands by which boundary they are, and how far that has come. The same as SQLite's V25.
-- Frozen: a change is a new file with the next number.

-- boundary_minutes: the boundary by which dates are put right, or are right, in minutes after midnight;
-- from_minutes, to_minutes: between these times of day lie the logoffs whose date may be another one;
-- next_at: everything before it was looked at; absent when nothing is left;
-- moved, judged: how many got another date, and how many of these another result;
-- changed_by: who chose the boundary. A contract without a row was never looked at.
CREATE TABLE night_dates (
    contract_id      BIGINT PRIMARY KEY REFERENCES contracts (id),
    boundary_minutes BIGINT NOT NULL CHECK (boundary_minutes BETWEEN 0 AND 1439),
    from_minutes     BIGINT NOT NULL,
    to_minutes       BIGINT NOT NULL,
    next_at          BIGINT,
    moved            BIGINT NOT NULL DEFAULT 0,
    judged           BIGINT NOT NULL DEFAULT 0,
    changed_by       TEXT COLLATE "C" NOT NULL
);
