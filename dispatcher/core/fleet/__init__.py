"""The workers of one node, their lists for people, and their pools and lanes for jobs.

It owns what is known of each worker, and every order in which workers are kept. It must not know what pages say, when
an attempt ends, or that anything has a deadline: ``workers``, above it, tells it of every change.
"""
