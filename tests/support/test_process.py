"""A server that does not start in time says what it does instead."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.process import ServerProcess


def test_a_start_that_takes_too_long_says_where_it_stands(tmp_path: Path) -> None:
    async def held() -> None:
        server = ServerProcess(tmp_path)
        server.patience_s = 3.0
        await server.start("hold-open", "1")

    with pytest.raises(TimeoutError, match=r"(?s)no banner after 3 s: .*File .*faulty_server.py"):
        asyncio.run(held())
