"""What workers say and what becomes of their attempts: sessions, registering, leases and their deadlines, effects.

It owns the attempts of one node and every deadline. It must not know in which order workers are kept or by what index
a job finds them: that is ``fleet``'s. Nor does it know how a message looks or what a store does with a report.
"""
