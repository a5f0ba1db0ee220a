"""Carries messages from worker pages to the core, and the core's orders to pages. Decides nothing about jobs."""
