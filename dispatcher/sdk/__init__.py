"""Pagehand: hands jobs to workers that are web pages.

This package is what an installation shows the world: the command line, and the programs behind it. It uses
the standard library and itself only; the server lies beside it, in ``pagehand/_app``, and is never imported
from here except to run it (``pagehand serve``).
"""

from __future__ import annotations

__all__ = ["__version__"]

#: The same as the server's; ``tests/test_packaging.py`` holds them together.
__version__ = "0.1.0"
