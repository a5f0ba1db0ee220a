"""Backups of a store that is open: a copy of its file, made by another process while the log stands still."""
