"""The load generator: a process of its own, beside the server that is measured."""
