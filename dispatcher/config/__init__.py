"""The settings of the operator, where they come from, and where the log goes. Knows nothing of the server."""
