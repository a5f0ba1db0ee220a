"""What a worker page loads: itself, its script, its tasks."""
