"""Behind the real nginx with a sign-in of its own (Basic authentication), the token has another way."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.test_nginx import FORM, Visitor
from tests.support.http import JSON
from tests.support.nginx import lines_of, nginx
from tests.support.server import live

TOKEN = "0b6f1c0e-s3cret"
JOB = json.dumps({"type": "echo"})


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anna:{password}".encode()).decode()}


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Anna has a password of nginx's; ``token`` is a user whose password is the server's token."""
    directory = tmp_path_factory.mktemp("sign-in")
    users = directory / "users"
    users.write_text(f"anna:{{PLAIN}}hers\ntoken:{{PLAIN}}{TOKEN}\n")
    sign_in = f'server {{\n  auth_basic "Intranet";\n  auth_basic_user_file {users};\n'
    lines = lines_of("docs/offices.md").replace("server {\n", sign_in, 1)
    assert "auth_basic" in lines
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://localhost:{door.getsockname()[1]}"
    with live(directory, "--token", TOKEN) as server, nginx(directory / "nginx", door, lines, server.port):
        yield Visitor(address, None)


def test_a_program_shows_its_password_to_nginx_and_the_token_to_us(visitor: Visitor) -> None:
    mine = JSON | basic("hers")
    assert "nginx" in visitor.ask("POST", "/api/v1/jobs", JOB, JSON | {"X-Pagehand-Token": TOKEN})[1]
    status, text = visitor.ask("POST", "/api/v1/jobs", JOB, mine)
    assert (status, json.loads(text)["code"]) == (401, "bad_token")
    assert "'X-Pagehand-Token: TOKEN'" in json.loads(text)["detail"]
    assert visitor.ask("POST", "/api/v1/jobs", JOB, mine | {"X-Pagehand-Token": TOKEN})[0] == 201
    assert visitor.ask("POST", "/api/v1/jobs", JOB, mine | {"X-Pagehand-Token": "wrong"})[0] == 401


def test_the_token_may_be_the_password_itself(visitor: Visitor) -> None:
    both = {"Authorization": "Basic " + base64.b64encode(f"token:{TOKEN}".encode()).decode()}
    assert visitor.ask("POST", "/api/v1/jobs", JOB, JSON | both)[0] == 201
    assert visitor.ask("GET", "/jobs", headers=FORM | both)[0] == 200


def test_people_sign_in_twice_and_the_browser_reads_the_api(visitor: Visitor) -> None:
    browser = FORM | basic("hers")
    _, text = visitor.ask("GET", "/login", headers=browser)
    found = re.search(r'name="_xsrf" value="([^"]+)"', text)
    assert found, text
    form = f"_xsrf={found[1].replace('|', '%7C')}&token={TOKEN}&next=/jobs"
    status, text = visitor.ask("POST", "/login", form, browser | {"Origin": visitor.address})
    assert (status, visitor.location) == (303, "/jobs"), text
    assert visitor.ask("GET", "/jobs", headers=browser)[0] == 200
    assert visitor.ask("GET", "/api/v1/stats", headers=browser)[0] == 200
