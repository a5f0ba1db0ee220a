"""What people order of workers, types and many jobs at once; backups."""
