"""A farm to look at: ``make demo`` starts it, and ``make screens`` photographs every screen of it.

``history`` writes a day of work into a store within seconds, with the real dispatcher and a clock of its own.
"""
