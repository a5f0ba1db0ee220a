"""No GET and no HEAD changes anything, whatever the address."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import AuditFilter, AuditNote
from dispatcher.access.commands import UsedTokens
from dispatcher.config.settings import Settings
from tests.attack.paths import PATHS
from tests.handlers.api.tokens import ADMIN, made, shown
from tests.handlers.conftest import Ask, Scene
from tests.handlers.matrix import MATRIX
from tests.handlers.rich import rich
from tests.support.house import House

pytestmark = pytest.mark.gen_test
#: A stream of changes does not end, so it is asked for one that cannot begin; HEAD of the other never sends any.
_ENDLESS = "/api/v1/events"
#: Addresses that are there, and those of the attacks with names that are not.
ADDRESSES = sorted(
    ({path for path, _, _ in MATRIX.values()} | {path.split("?")[0] for path in PATHS.values()}) - {_ENDLESS}
    | {f"{_ENDLESS}?after=odd", "/api/v1/tokens/{token}"}
)


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.fixture
def settings() -> Settings:
    return Settings(token="s3cret")


async def content(house: House) -> list[object]:
    """All that the store keeps, but for when tokens were used last and which were refused."""
    store = house.store
    tokens = [replace(token, last_used_at=None) for token in await store.tokens()]
    acts = [act for act in (await store.acts(AuditFilter(limit=10_000))).items if act.action != "token.refused"]
    kept = (await store.kept.workers(), await store.kept.types(), await store.kept.credentials())
    hooks = await store.hooks.endpoints()
    backups = await house.dispatcher.backups.all()
    return [await house.kept(), await store.counts(), await store.types(), tokens, acts, kept, hooks, backups]


def standing(house: House) -> list[object]:
    """The workers as the node has them: what their pages say, and what operators have said."""
    known = ("boot", "name", "types", "slots", "session", "labels", "state", "paused", "held", "reloads")
    return [[getattr(worker, name) for name in known] for worker in house.dispatcher.machine.workers.values()]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_read_changes_nothing(ask: Ask, house: House, path: str, method: str) -> None:
    token = await made(ask, "admin")
    who, path = shown(token), path.replace("{token}", token["id"])
    before, stood, turns = await content(house), standing(house), len(house.store.turns)
    for headers in (who, ADMIN, {}):
        answer = await ask(path, method, headers=headers)
        assert answer.code < 500 or path == "/readyz", answer
    await house.dispatcher.idle()
    assert (await content(house), standing(house)) == (before, stood)
    for turn in house.store.turns[turns:]:
        assert (turn.reports, turn.submissions) == ([], [])
        for command in turn.commands:
            assert isinstance(command, UsedTokens) or (
                isinstance(command, AuditNote) and command.action == "token.refused"
            ), command


async def test_a_change_would_be_seen(ask: Ask, house: House) -> None:
    before = await content(house)
    await ask("/api/v1/jobs", "POST", json={"type": "echo"}, headers=ADMIN)
    assert await content(house) != before
