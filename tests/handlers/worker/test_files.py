"""Served files: none that is not ours; the tasks; the probes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dispatcher.errors import SettingError
from handlers.routes import TaskDirectory
from handlers.worker.script import PARTS, PARTS_DIRECTORY, join, worker_script
from tests.handlers.conftest import Ask, body_of, draining, no_room, nothing

TRAVERSALS = [
    "/static/../server.py",
    "/static/..%2fserver.py",
    "/static/%2e%2e/server.py",
    "/static/..%5cserver.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/tasks/../../server.py",
    "/static/tasks",
    "/static/.",
    "/static/console.css%00.js",
    "/static/console.css/",
    "/tasks/../server.js",
    "/tasks/..%2fserver.js",
    "/tasks/%2e%2e%2foutside.js",
    "/tasks/outside.js",
    "/tasks/linked.js",
    "/tasks/plain.js%00",
    "/tasks/plain.js.js",
    "/tasks/..js",
    "/tasks/.js",
    "/tasks/sub.js",
    "/tasks/sub/inner.js",
    "/tasks/notes.txt",
    "/tasks/index.json.js",
]


@pytest.mark.gen_test
@pytest.mark.parametrize("path", TRAVERSALS)
async def test_no_path_leads_out_of_the_directories(ask: Ask, tasks: TaskDirectory, tmp_path: Path, path: str) -> None:
    (tmp_path / "outside.js").write_text("secret", "utf-8")
    (tmp_path / "tasks" / "linked.js").symlink_to(tmp_path / "outside.js")
    (tmp_path / "tasks" / "notes.txt").write_text("secret", "utf-8")
    (tmp_path / "tasks" / "sub.js").mkdir()
    (tmp_path / "tasks" / "sub.js" / "inner.js").write_text("secret", "utf-8")
    response = await ask(path)
    assert response.code in (400, 403, 404)
    for secret in (b"secret", b"import ", b"root:"):
        assert secret not in response.body


def test_a_link_within_the_directory_is_a_task_and_one_that_leads_out_is_none(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    directory.mkdir()
    (directory / "a.js").write_text("a", "utf-8")
    (directory / "b.js").symlink_to(directory / "a.js")
    (tmp_path / "c.js").write_text("c", "utf-8")
    (directory / "c.js").symlink_to(tmp_path / "c.js")
    tasks = TaskDirectory(directory)
    assert [fault.file for fault in tasks.faults()] == ["c.js"]
    assert [path.name for path in tasks._now().files.values()] == ["a.js", "b.js"]


def test_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="is not a directory"):
        TaskDirectory(tmp_path / "nope")


@pytest.mark.gen_test
async def test_the_worker_pages_script_is_one_file_of_all_parts(ask: Ask) -> None:
    response = await ask("/static/worker.js")
    script = response.body.decode()
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    at = [script.index(f"/* worker/{part} */\n{(PARTS_DIRECTORY / part).read_text('utf-8')}") for part in PARTS]
    assert at == sorted(at)
    assert script == join()


@pytest.mark.gen_test
async def test_the_worker_pages_script_is_sent_again_only_when_it_has_changed(ask: Ask) -> None:
    etag = worker_script().etag
    first = await ask("/static/worker.js", headers={"If-None-Match": '"of-another-content"'})
    assert (first.code, first.headers["Etag"]) == (200, etag)
    again = await ask("/static/worker.js?v=1", headers={"If-None-Match": etag})
    assert (again.code, again.body or b"", again.headers["Cache-Control"]) == (304, b"", "no-cache")
    head = await ask("/static/worker.js", "HEAD")
    assert (head.code, head.body or b"", head.headers["Etag"]) == (200, b"", etag)


def test_a_part_that_changes_changes_the_script(tmp_path: Path) -> None:
    for part in PARTS:
        (tmp_path / part).write_bytes((PARTS_DIRECTORY / part).read_bytes())
    assert worker_script(tmp_path) == worker_script()
    (tmp_path / "engine.js").write_text("// another\n", "utf-8")
    changed = worker_script(tmp_path)
    assert changed.etag != worker_script().etag
    assert b"/* worker/engine.js */\n// another\n/* worker/messages.js */" in changed.body


@pytest.mark.gen_test
async def test_the_index_says_what_each_task_says_of_itself(ask: Ask) -> None:
    index = body_of(await ask("/tasks/index.json"))
    assert index["host_call"] == ["Print"]
    assert index["not_offered"] == []
    for task in index["tasks"]:
        source = (await ask(f"/tasks/{task['name']}.js")).body
        digest, _, changed = task.pop("version").partition("-")
        assert (digest, changed.isdigit()) == (hashlib.sha256(source).hexdigest()[:12], True)
    assert index["tasks"] == [
        {"name": "plain", "quick": False, "title": "", "example": None, "summary": ""},
        {
            "name": "print-label",
            "quick": False,
            "title": "Prints a label",
            "example": {"order": 7, "copies": 1},
            "summary": "",
        },
        {
            "name": "thumbnail",
            "quick": True,
            "title": "Makes a picture smaller",
            "example": {"width": 120},
            "summary": "",
        },
    ]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("scene", "code", "lines"),
    [
        (nothing, 200, ["[+]not draining", "[+]takes jobs", "[+]room on the store's disk", "ok"]),
        (draining, 503, ["[-]not draining", "[-]takes jobs", "[+]room on the store's disk", "not ready"]),
        (None, 503, ["[+]not draining", "[-]takes jobs", "[+]room on the store's disk", "not ready"]),
    ],
)
async def test_the_probes_say_whether_it_lives_and_takes_jobs(ask: Ask, code: int, lines: list[str]) -> None:
    assert (await ask("/livez")).body == b"ok\n"
    response = await ask("/readyz?verbose")
    assert (response.code, response.body.decode().splitlines()) == (code, lines)


@pytest.mark.gen_test
@pytest.mark.parametrize("scene", [no_room])
async def test_it_is_not_ready_and_says_why_while_the_disk_has_no_room(ask: Ask) -> None:
    response = await ask("/readyz")
    assert (response.code, response.body) == (503, b"not ready: the store's disk is nearly full\n")
    assert "Retry-After" in response.headers
    assert b"[-]room on the store's disk" in (await ask("/readyz?verbose")).body
