-- 0006: what a job carries for people and programs.

ALTER TABLE jobs ADD COLUMN about TEXT;   -- JSON: dispatcher/core/jobs/about.py; NULL: nothing was said
