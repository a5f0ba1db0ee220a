"""The client works where nothing but the package is installed, and an import of the package stays cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher import sdk
from tests.sdk.client.scripted import reply, scripted
from tests.support.places import ROOT

#: Nothing can be imported but the standard library and the package, under the name that it has in a wheel.
_ALONE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in sys.stdlib_module_names | {"pagehand"}:
            raise ImportError(f"{name} is not there")
sys.meta_path.insert(0, Nothing())
sys.path[:] = [sys.argv[1], *[place for place in sys.path if "site-packages" not in place]]
"""


def alone(directory: Path, code: str, *arguments: str) -> str:
    (directory / "pagehand").symlink_to(ROOT / "dispatcher" / "sdk")
    given = [sys.executable, "-I", "-c", _ALONE + code, str(directory), *arguments]
    done = subprocess.run(given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_runs_without_any_other_package(tmp_path: Path) -> None:
    code = """
import asyncio
from pagehand import AsyncClient, Client, Executor
with Client(sys.argv[2], "secret") as client:
    print(client.run("echo", 1, timeout=5))
async def twin():
    async with AsyncClient(sys.argv[2]) as client:
        print(await client.run("echo", 1))
asyncio.run(twin())
try:
    import tornado
except ImportError as error:
    print(error, {"dispatcher", "engineio", "msgspec", "tornado", "websockets"} & set(sys.modules))
"""
    with scripted(reply(201), reply(201)) as server:
        said = alone(tmp_path, code, server.url)
    assert said.splitlines() == ["7", "7", "tornado is not there set()"]


def test_an_import_of_the_package_loads_nothing_of_the_client(tmp_path: Path) -> None:
    code = "import pagehand; print({'asyncio', 'http.client', 'json', 'ssl', 'pagehand.client'} & set(sys.modules))"
    assert alone(tmp_path, code) == "set()\n"


@pytest.mark.parametrize("name", sdk.__all__)
def test_each_name_of_the_package_is_there(name: str) -> None:
    assert getattr(sdk, name) is not None


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Cleint'"):
        sdk.Cleint  # noqa: B018
