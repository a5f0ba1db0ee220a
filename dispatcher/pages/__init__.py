"""What is said between a worker page and the core: messages in, orders out."""
