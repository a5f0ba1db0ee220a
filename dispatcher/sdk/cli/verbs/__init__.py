"""The verbs, by what they are for. Each module has those of one kind."""
