"""Which front listens: the one that is asked for, or the fast one where it can be had."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.choice import make_server
from dispatcher.transport.fronts.fast.server import FastServer
from dispatcher.transport.fronts.http import Front, FrontServer
from tests.support.places import ROOT, environment

#: The program as it is where httptools is not installed.
WITHOUT = "import sys; sys.modules['httptools'] = None; "


@pytest.mark.parametrize(("name", "kind"), [("", FastServer), ("fast", FastServer), ("tornado", FrontServer)])
def test_the_front_that_is_asked_for_listens_and_by_default_the_fast_one(front: Front, name: str, kind: type) -> None:
    server = make_server(front, Settings(front=name))
    assert type(server) is kind
    assert server.policy() is front
    assert server.max_connections > 0


@pytest.mark.parametrize(("given", "limit"), [(None, 4 * Settings().post_limit), (5, 5)])
def test_the_applications_limit_of_a_body_can_be_set_and_is_four_posts_otherwise(
    front: Front, given: int | None, limit: int
) -> None:
    fast = make_server(front, Settings(front="fast"), max_body_size=given)
    tornado = make_server(front, Settings(front="tornado"), max_body_size=given)
    assert isinstance(fast, FastServer)
    assert isinstance(tornado, FrontServer)
    assert fast.max_body_size == tornado.conn_params.max_body_size == limit


def run(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT + program]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False)


def test_without_httptools_tornados_own_front_listens() -> None:
    program = "import server; server.make_server(None, server.Settings()); "
    program += "from dispatcher.transport.fronts.choice import front_in_force; print(front_in_force(server.Settings()))"
    assert run(program).stdout == "tornado\n"


def test_without_httptools_the_fast_front_is_refused_in_words() -> None:
    done = run("import server; sys.exit(server.main(['--front', 'fast', '--store', 'memory:', '--port', '0']))")
    assert done.returncode == 2
    assert "--front fast needs httptools, which is not installed" in done.stderr


def test_another_front_is_refused_in_words() -> None:
    done = run("import server; sys.exit(server.main(['--front', 'quick']))")
    assert done.returncode == 2
    assert "--front must be fast or tornado, not 'quick'" in done.stderr
