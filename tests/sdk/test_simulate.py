"""``pagehand simulate`` as a program."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from dispatcher.sdk.simulate import main
from tests.sdk.stub import Stub


async def _simulate(*arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dispatcher.sdk.simulate", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def test_it_ends_after_as_many_jobs_as_asked_and_sums_up():
    async def scenario() -> None:
        async with Stub() as stub:
            for number in range(3):
                stub.submit(str(number))
            status, out, err = await _simulate("--url", stub.url, "--jobs", "3", "--workers", "2", "--json-summary")
            summary = json.loads(out)
            assert (status, summary["stats"]["recorded"], err) == (0, 3, "")
            names = {register["name"] for register in stub.ops("register")}
            assert names == {"sim-1", "sim-2"}

    asyncio.run(scenario())


def test_its_pages_have_the_labels_that_were_asked_for():
    async def scenario() -> None:
        async with Stub() as stub:
            stub.submit("1")
            labels = ("--label", "site:berlin", "--label", "address:http://x:1")
            status, _, err = await _simulate("--url", stub.url, "--jobs", "1", "--workers", "1", *labels)
            assert (status, err) == (0, "")
            assert [each["labels"] for each in stub.ops("register")] == [{"site": "berlin", "address": "http://x:1"}]

    asyncio.run(scenario())


def test_it_fails_when_no_page_could_register():
    async def scenario() -> None:
        async with Stub(mute=("register",)) as stub:
            status, out, _ = await _simulate("--url", stub.url, "--seconds", "0.5")
            assert status == 1
            assert "0 recorded" in out

    asyncio.run(scenario())


def test_two_of_one_seed_are_not_one_worker():
    async def scenario() -> None:
        async with Stub() as stub:
            one = ("--url", stub.url, "--seconds", "0.5", "--workers", "1", "--seed", "7", "--reload-every-ms", "100")
            await asyncio.gather(_simulate(*one), _simulate(*one))
            workers = {register["boot"]: register.get("worker") for register in stub.ops("register")}
            assert list(workers.values()).count(None) == len(stub.workers) == 2

    asyncio.run(scenario())


def test_it_makes_load_of_the_types_in_turn_until_enough_is_done():
    async def scenario() -> None:
        async with Stub() as stub:
            arguments = ("--url", stub.url, "--submit", "200/s", "--jobs", "6", "--token", "s3cret", "--json-summary")
            status, out, err = await _simulate(*arguments)
            assert (status, err) == (0, "")
            assert json.loads(out)["stats"]["submitted"] >= 6
            assert [job["type"] for _, job in stub.submitted[:4]] == ["echo", "word-count", "echo", "word-count"]
            assert "Authorization: Bearer s3cret" in stub.submitted[0][0]
            assert "Content-Type: application/json" in stub.submitted[0][0]

    asyncio.run(scenario())


def test_it_makes_load_for_the_workers_that_there_are():
    async def scenario() -> None:
        async with Stub() as stub:
            status, out, err = await _simulate(
                "--url", stub.url, "--submit", "60/min", "--workers", "0", "--seconds", "0.5"
            )
            assert (status, err) == (0, "")
            assert "0 pages for echo, word-count, and 60 jobs a minute, at" in out
            assert len(stub.submitted) == 1, "one a second, the first at once"
            assert stub.ops("register") == []

    asyncio.run(scenario())


def test_it_says_so_when_no_job_is_taken():
    async def scenario() -> None:
        async with Stub() as stub:
            stub.submits_answered = 401
            status, out, err = await _simulate("--url", stub.url, "--submit", "50/s", "--seconds", "0.5")
            assert (status, err) == (1, "pagehand simulate: the server took no job\n")
            assert "submits_refused_401" in out

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--fail", "2"], ["--slow-ms", "9:1"], ["--workers", "0"], ["--types", ","], ["--url", "ftp://x"]),
        *(["--submit", rate] for rate in ("5", "0/s", "-1/s", "x/s", "5/week", "nan/s", "inf/s", "9999/s")),
        ["--workers", "0", "--submit", "1/s", "--jobs", "1"],
        *(
            ["--label", text]
            for text in ("site", "site:", ":berlin", "two words:x", "name:x", "x" * 51 + ":x", "a:" + "x" * 201)
        ),
        ["--label", "a:1", "--label", "a:2"],
        [text for number in range(21) for text in ("--label", f"n{number}:x")],
    ],
)
def test_it_refuses_what_makes_no_sense(arguments, capsys):
    try:
        status: object = main([*arguments, "--seconds", "0"])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert capsys.readouterr().err


def test_it_imports_nothing_but_the_standard_library():
    async def scenario() -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c"),
            "import sys, dispatcher.sdk.simulate\n"
            "print([name for name in ('tornado', 'msgspec', 'engineio') if name in sys.modules])",
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert out.decode().strip() == "[]"

    asyncio.run(scenario())
