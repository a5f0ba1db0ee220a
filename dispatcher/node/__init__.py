"""The shell of one server process: it turns what happens into turns, and keeps the timer and the waiting requests."""
