"""Reads settings as the command line gives them, on a machine whose only variable is its home."""

from __future__ import annotations

import pytest

from dispatcher.config.settings import Settings
from dispatcher.config.sources import parse
from dispatcher.errors import SettingError

__all__ = ["HOME", "given", "refused"]

HOME = {"HOME": "/home/somebody"}


def refused(*argv: str, **environ: str) -> str:
    """The words with which these flags and variables are refused."""
    with pytest.raises(SettingError) as caught:
        parse(argv, HOME | environ)
    return str(caught.value)


def given(*argv: str, **environ: str) -> Settings:
    """The settings that these flags and variables make."""
    return parse(argv, HOME | environ).settings
