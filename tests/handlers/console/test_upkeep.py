"""What is wrong with backups and webhooks, and what to do: for people, without a script."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import Actor
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.acts.backups import Backup, BackupState
from dispatcher.webhooks.endpoints import MessageCounts
from tests.handlers.api.tokens import ADMIN, made, shown
from tests.handlers.conftest import Ask, Browser
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=30)
ANN, URL = Actor("ann"), "https://shop.example/secret"


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.replace("\u00a0", " ")))


async def test_where_nothing_was_made_it_says_how_to_begin(browser: Browser, house: House) -> None:
    text = text_of(await browser.page("/upkeep"))
    assert "pagehand backup" in text
    assert "There are no webhooks." in text


async def test_backups_stand_there_with_what_went_wrong(
    browser: Browser, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = house.clock.utc()
    good = Backup(name="a.db", state=BackupState.DONE, bytes=2 << 20, copied_bytes=2 << 20, begun_at=now - 3 * 86_400.0)
    bad = replace(good, name="b.db", state=BackupState.FAILED, copied_bytes=0, begun_at=now - 60.0, detail="no <room>")

    async def both() -> list[Backup]:
        return [bad, good]

    monkeypatch.setattr(house.store, "backups", both)
    page = await browser.page("/upkeep")
    assert "The newest one was begun 1 min ago." in text_of(page)
    assert 'failed</span>: <span class="said">no &lt;room&gt;' in page
    assert "3 d ago" in text_of(page)
    assert 'href="/upkeep#backups">The last backup failed: no &lt;room&gt;.' in await browser.page("/")


async def test_a_directory_that_cannot_be_read_is_said(
    browser: Browser, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none() -> list[Backup]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(house.store, "backups", none)
    text = text_of(await browser.page("/upkeep"))
    assert "The directory of the backups cannot be read: Permission denied." in text
    assert "pagehand backup" not in text


async def test_webhooks_stand_there_with_what_waits_and_why_one_is_off(
    browser: Browser, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = house.dispatcher.webhooks
    hook = await hooks.make(URL, events=["job.failed"], types=[], name="the <shop>", made_by="ann", actor=ANN)
    await hooks.change(hook.id, {"enabled": False}, ANN)

    async def counts() -> dict[str, MessageCounts]:
        return {hook.id: MessageCounts(1_200, 3)}

    monkeypatch.setattr(house.store.hooks, "counts", counts)
    page = await browser.page("/upkeep")
    assert "the &lt;shop&gt;" in page
    assert URL in page
    text = text_of(page)
    assert "off : " in text
    assert "1,200 3" in text
    assert "pagehand webhook resume ID" in text


@pytest.mark.parametrize("settings", [Settings(token="s3cret")])
async def test_whoever_only_reads_sees_no_address_of_a_webhook(ask: Ask, house: House) -> None:
    await house.dispatcher.webhooks.make(URL, events=["job.failed"], types=[], name="shop", made_by="ann", actor=ANN)
    reader = shown(await made(ask, "read"))
    page = (await ask("/upkeep", headers=reader | {"Accept": "text/html"})).body.decode()
    assert "shop" in page
    assert URL not in page
    assert URL in (await ask("/upkeep", headers=ADMIN | {"Accept": "text/html"})).body.decode()
