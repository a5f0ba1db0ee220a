"""The shell of one server process: it gathers events into turns, and keeps the timer and the waiting requests.

It knows no HTTP and no SQL.
"""
