"""Webhooks, without I/O: who is told, where a message may go, how it is signed, when it is tried again."""
