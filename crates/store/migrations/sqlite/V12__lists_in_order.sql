-- People who sign in as a list in pages: by login within their contract, operators included.
-- Frozen: a change is a new file with the next number.
CREATE INDEX administrators_in_order ON administrators (contract_id, login);
