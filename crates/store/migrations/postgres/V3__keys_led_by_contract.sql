-- Every key of a table that is led by the contract names it, so that a distributed PostgreSQL can shard by contract
-- (docs/operating/scale-out.en.md).
DROP INDEX log_leaves_by_entry;
CREATE UNIQUE INDEX log_leaves_by_entry ON log_leaves (contract_id, audit_id) WHERE audit_id IS NOT NULL;
