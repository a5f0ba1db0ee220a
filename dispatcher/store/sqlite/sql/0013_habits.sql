-- 0013: which workers are usually here at this hour of the week (dispatcher/core/jobs/habits.py).

ALTER TABLE workers ADD COLUMN habit TEXT;          -- a sign for each hour of the week; NULL: no roll was called yet
ALTER TABLE workers ADD COLUMN habit_before TEXT;   -- the same of a week earlier
