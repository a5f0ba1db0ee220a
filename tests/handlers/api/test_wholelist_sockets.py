"""The whole list of jobs over real sockets, on both fronts: slow clients, clients that leave, a list that is cut."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import JobFilter, JobPage
from dispatcher.errors import StorageTrouble
from dispatcher.node.views.walks import Walks
from tests.support.house import House
from tests.support.jobs import spec
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=60)

#: Jobs whose lines are more than the buffers of two sockets hold.
MANY = 20_000


@pytest.fixture
def settings() -> Settings:
    return Settings(waiters=1)


@pytest.fixture
def short_way() -> bool:
    """No new job comes over HTTP here."""
    return True


async def filled(house: House, count: int) -> None:
    for _ in range(count // 1_000):
        await house.dispatcher.submit_batch([spec("a" * 100)] * 1_000)


class Reader:
    """A client that reads as the test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.lines = 0

    @classmethod
    async def ask(cls, port: int, query: str = "?format=ndjson") -> Reader:
        """Asks, and reads the head of the answer."""
        client = cls(*await asyncio.open_connection("127.0.0.1", port, limit=4_096))
        client._writer.write(f"GET /api/v1/jobs{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        head = await client._reader.readuntil(b"\r\n\r\n")
        assert b" 200 OK\r\n" in head, head
        return client

    async def count(self) -> None:
        """Reads the answer to its end, and counts its lines. Raises as ``pieces`` does."""
        async for piece in self.pieces():
            self.lines += len(piece.splitlines())

    async def pieces(self) -> AsyncIterator[bytes]:
        """Each chunk of the body. Raises IncompleteReadError, or ConnectionError, if the answer was cut."""
        while size := int((await self._reader.readuntil(b"\r\n"))[:-2], 16):
            yield (await self._reader.readexactly(size + 2))[:-2]

    async def leave(self) -> None:
        self._writer.close()
        await asyncio.sleep(0)


def counted(house: House) -> list[int]:
    """The pages that are read from here on."""
    made: list[int] = []

    async def read(wanted: JobFilter) -> JobPage:
        page = await house.dispatcher.jobs(wanted)
        made.append(len(page.items))
        return page

    house.dispatcher.walks = Walks(read, 1)
    return made


async def stands(made: list[int]) -> int:
    """How many pages were read when 100 passes of the loop, each of which looks at the sockets, bring no other one."""
    before = -1
    while before != len(made):
        before = len(made)
        for _ in range(100):
            await asyncio.sleep(0)
    return before


async def test_a_slow_reader_holds_one_page_and_gets_all_of_them_when_it_reads_on(house: House, port: int) -> None:
    await filled(house, MANY)
    made = counted(house)
    client = await Reader.ask(port)
    await eventually(lambda: made)
    assert await stands(made) < MANY // 100
    found = [json.loads(line)["id"] async for piece in client.pieces() for line in piece.splitlines()]
    assert found == [f"job-{number}" for number in range(MANY, 0, -1)]
    assert max(made) == 100
    await client.leave()


async def test_who_leaves_is_read_for_no_more(house: House, port: int) -> None:
    await filled(house, MANY)
    made = counted(house)
    client = await Reader.ask(port)
    await eventually(lambda: made)
    await stands(made)
    await client.leave()
    await eventually(lambda: house.dispatcher.walks.count == 0)
    assert len(made) < MANY // 100


@pytest.mark.parametrize("write_timeout_s", [0.1])
async def test_who_reads_nothing_for_long_is_ended(house: House, port: int) -> None:
    await filled(house, MANY)
    client = await Reader.ask(port)
    await eventually(lambda: house.dispatcher.walks.count == 0)
    await client.leave()


@pytest.mark.expect_log("a list was cut: the disk is gone")
async def test_a_list_that_cannot_be_read_to_its_end_is_cut_and_seems_not_whole(house: House, port: int) -> None:
    await filled(house, 1_000)
    told = [await house.dispatcher.jobs(JobFilter(limit=100))]

    async def read(wanted: JobFilter) -> JobPage:
        if not told:
            raise StorageTrouble("the disk is gone")
        return told.pop()

    house.dispatcher.walks = Walks(read, 1)
    client = await Reader.ask(port)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.count()
    assert client.lines == 100
    await client.leave()
    assert house.dispatcher.walks.count == 0
