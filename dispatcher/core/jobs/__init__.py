"""What is decided about a job: its rows, what may happen to them, and what must always be true of them."""
