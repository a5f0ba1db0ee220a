"""Engine.IO v4 over forced HTTP long-polling, on Tornado.

- ``codec``     packets and payloads, as python-engineio has them, but strict, and leaving the text alone
- ``listener``  what the transport tells the service
- ``limits``    every limit of the transport, in one value
- ``exchange``  one request and its answer, without HTTP: what a front and the sessions say to each other
- ``session``   one session: its outbox and its state
- ``sessions``  all sessions: polls, posts, pings, deadlines; no I/O, no clock
- ``pings``     when pings are due and pongs overdue
- ``counts``    what has happened so far
- ``fronts``    ``policy`` has the rules of every front, and ``front_exchange`` what it does with one request, both
                without I/O;
                ``server`` is the thin outer class: python-engineio's AsyncServer with its settings, ids and events;
                ``http`` is the thin Tornado front, with ``http_door`` for the listening socket, ``http_stream`` for
                the bytes of a connection and ``http_exchange`` for one request

It knows nothing of jobs: an attempt is an opaque name that comes back when its offer has been written.
"""

from __future__ import annotations
