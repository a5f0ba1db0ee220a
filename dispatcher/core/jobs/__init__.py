"""What a job is and what may become of it: its states, the rules for its rows, a turn's contract, the invariants."""
