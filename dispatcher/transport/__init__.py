"""Engine.IO v4 over forced HTTP long-polling, on Tornado.

- ``codec``     packets and payloads, as python-engineio has them, but strict and with the text left alone
- ``listener``  what the service must be able to hear
- ``limits``    every bound of the transport, in one value
- ``exchange``  one request and its answer, without HTTP: what a front and the sessions say to each other
- ``session``   one session: its outbox and its state
- ``sessions``  all sessions: polls, posts, pings, deadlines; no I/O, no clock
- ``pings``     when pings are due and pongs overdue
- ``counts``    what has happened so far
- ``server``    the thin outer class: python-engineio's AsyncServer with its settings, ids and events
- ``http``      the thin Tornado front; ``http_exchange`` is one request on it, ``http_stream`` the bytes of a connection,
                ``http_door`` the listening socket

It knows nothing of jobs: an attempt is an opaque name that comes back when its offer has been written.
"""

from __future__ import annotations
