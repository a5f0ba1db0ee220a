"""A job and what may become of it: its states, the rules for its rows, the contract of a turn, the invariants."""
