"""What the operator sets, where it comes from, and where the log goes."""
