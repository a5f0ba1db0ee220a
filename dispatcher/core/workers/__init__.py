"""Decides about workers and their attempts: sessions, registering, leases and their deadlines, effects.

It owns the attempts of one node and every deadline. It must not know the order in which workers are kept, or the index
by which a job finds them: that is ``fleet``'s. Nor does it know how a message looks or what a store does with a report.
"""
