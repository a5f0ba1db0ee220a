"""What people and programs see of jobs besides the jobs: batches, changes, searches, measures."""
