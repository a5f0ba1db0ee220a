"""Turns: what happens is gathered into them, one is in flight while the next gathers, and what they did is counted."""
