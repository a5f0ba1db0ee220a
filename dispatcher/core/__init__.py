"""The pure core: no clock, no I/O, no logging, no ids and no randomness of its own.

Every call takes ``now`` (monotonic seconds) and returns effects: plain values that the shell carries out.
``tests/test_architecture.py`` enforces what may be imported here.
"""
