"""Serves what a worker page loads: itself, its script, its tasks. Knows no job."""
