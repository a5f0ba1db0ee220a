"""``/board``: what happens to jobs, in letters that can be read across a room.

``departures`` decides what the lines say, and is pure; ``page`` reads the jobs.
"""
