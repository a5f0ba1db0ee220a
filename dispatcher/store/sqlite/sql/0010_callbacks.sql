-- 0010: messages that go to an address of their own: the callback of a job. And the age of the oldest that waits.

ALTER TABLE messages ADD COLUMN url TEXT;          -- NULL: the endpoint's

CREATE INDEX messages_at ON messages (at) WHERE due IS NOT NULL;
