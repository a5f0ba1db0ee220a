"""Failed jobs by what they failed with: for the console and for programs."""
