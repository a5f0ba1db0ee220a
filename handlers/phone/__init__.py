"""What somebody reads aloud from a worker page: ``spoken`` reads the six letters, ``page`` shows what they mean."""
