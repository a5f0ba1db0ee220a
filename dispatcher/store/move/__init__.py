"""``pagehand move``: from a file of SQLite into a database of PostgreSQL. ``tables`` says what becomes of what."""
