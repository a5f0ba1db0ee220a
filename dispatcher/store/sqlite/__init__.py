"""The store in a SQLite file: one connection, one thread, one transaction a turn."""
