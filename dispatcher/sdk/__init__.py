"""Pagehand: hands jobs to workers that are web pages.

This package is what users see of an installation: the command line, and the programs behind it. It uses
only the standard library and itself. The server lies beside it, in ``pagehand/_app``; this package imports it
only to run it (``pagehand serve``).
"""

from __future__ import annotations

__all__ = ["__version__"]

#: The same as the server's; ``tests/test_packaging.py`` checks that.
__version__ = "0.1.0"
