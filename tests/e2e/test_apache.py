"""Behind the real Apache, with the lines of docs/offices.md and TLS, on a port that is not 443."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.test_nginx import FORM, HANDSHAKE, JOB, Visitor
from tests.support.apache import apache
from tests.support.certificate import self_signed
from tests.support.http import JSON
from tests.support.ports import free_port
from tests.support.server import live


@pytest.mark.parametrize("public", [False, True], ids=["as it comes", "with its public address"])
def test_forms_pages_and_programs_work_behind_the_apache_of_the_page(tmp_path: Path, public: bool) -> None:
    certificate = self_signed(tmp_path)
    port = free_port()
    address = f"https://localhost:{port}"
    with (
        live(tmp_path, *(("--public-url", address) if public else ())) as server,
        apache(tmp_path / "apache", server.port, certificate, port),
    ):
        visitor = Visitor(address, certificate)
        status, text = visitor.post("/submit", JOB)
        assert (status, visitor.location[:6]) == (303, "/jobs/"), text
        assert all(("Secure" in line) is public for line in visitor.set.values())
        sid = json.loads(visitor.ask("GET", HANDSHAKE)[1][1:])["sid"]
        assert visitor.ask("POST", f"{HANDSHAKE}&sid={sid}", "3", {"Origin": address}) == (200, "ok")
        large = json.dumps({"type": "echo", "data": "x" * 1_000_000})
        assert visitor.ask("POST", "/api/v1/jobs", large, JSON)[0] == 201
        assert visitor.ask("POST", "/submit", "type=echo", FORM | {"Origin": "http://evil.example"})[0] == 403
