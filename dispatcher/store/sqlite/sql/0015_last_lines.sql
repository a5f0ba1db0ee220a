-- 0015: up to which of its page's lines an attempt's log has come (dispatcher/core/jobs/ledger.py).
-- Old code with this schema: refuses it. New code with schema 14: migrates at start.

ALTER TABLE attempts ADD COLUMN last_line INTEGER;   -- as its page counts them; NULL: none, or the page does not count
