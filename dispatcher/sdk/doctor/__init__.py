"""``pagehand doctor``: looks at a server from outside, and says what is wrong and how to mend it.

``probes`` asks the server, through whatever stands before it, and puts what it heard into one value (``seen``). The
checks (``way``, ``gate``, ``farm``) are pure functions of that value. ``report`` shows what they found.
"""
