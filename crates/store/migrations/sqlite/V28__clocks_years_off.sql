-- What a PC has stamped whose clock was years off stands at the time of the server's clock: `placed_at` of its event, which is
-- where its punch is; what the PC's clock showed stays in the event's bytes and its `occurred_at`, and in the punch's
-- `stamped_at`. Both are empty for all other events. Frozen: a change is a new file with the next number.
ALTER TABLE events ADD COLUMN placed_at INTEGER;
ALTER TABLE punches ADD COLUMN stamped_at INTEGER;
