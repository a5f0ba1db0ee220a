-- 0012: with which version of its task an attempt ran. Older code knows nothing of it.

ALTER TABLE attempts ADD COLUMN task_version TEXT;   -- as its page said it; NULL: it did not say
