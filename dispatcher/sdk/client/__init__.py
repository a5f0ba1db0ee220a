"""The Python client: submits jobs and waits for results, with the standard library alone.

From the inside out; each module may import only what stands above it:

- ``errors``    the exceptions
- ``exchange``  one request and one answer, as values
- ``encoding``  Python values as JSON, and what is wrong with those that are none
- ``config``    where the address and the token come from
- ``retrying``  whether and when a request is sent again
- ``answers``   an answer as a value or as an exception
- ``plans``     what a client does, step by step, without I/O: both clients run the same plans
- ``facts``     what is known of a job
- ``together``  plans for many jobs: a batch, the end of some jobs, what changes
- ``wire``      sends a request over ``http.client``; ``streams`` over asyncio
- ``client``    ``Client`` and ``Job``; ``twin`` has ``AsyncClient`` and ``AsyncJob``
- ``watch``     waits for many jobs with few connections
- ``executor``  ``Executor``: jobs as futures
- ``mapping``   ``Client.map``
- ``progress``  a bar on a terminal
"""
