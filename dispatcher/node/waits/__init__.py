"""Requests that wait: for jobs, and for batches."""
