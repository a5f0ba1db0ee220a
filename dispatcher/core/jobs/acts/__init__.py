"""What people order of jobs, workers, types and the store, as values."""
