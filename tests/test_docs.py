"""The documentation has what the code has: every setting, op, code, route and status.

Its links lead somewhere, and the commands of the README print what it shows.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
from pathlib import Path

import pytest

from dispatcher import errors
from dispatcher.config.settings import Settings, settings_fields
from dispatcher.core.jobs.about import About
from dispatcher.core.jobs.model import AttemptView, JobView, WorkerView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Schedule, Terms, range_of
from dispatcher.core.jobs.turn import Verdict
from dispatcher.node.views import waiting
from dispatcher.sdk.cli.program import flags
from handlers import errors as http_errors
from handlers.intake import JOB_FIELDS
from handlers.routes import TaskDirectory, routes, shipped_tasks
from tests.docs.blocks import blocks as blocks_of
from tests.pages.vectors import PAGE_OPS, SERVER_OPS, refused_codes
from tests.support.house import House
from tests.support.places import ROOT
from tests.support.server import running

PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
WITH_EXAMPLES = ["README.md", "docs/api.md"]


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def section(page: str, title: str) -> str:
    """The text under a heading, up to the next one of its kind."""
    level, _, _ = title.partition(" ")
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", page, re.M | re.S)
    assert found is not None, f"no heading {title!r}"
    return found[1]


def first_cells(part: str) -> set[str]:
    """The words in code type in the first column of tables."""
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("|")]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


# what the code has


def test_every_setting_is_in_the_reference_with_its_flag_and_its_variable() -> None:
    page = text("docs/settings.md")
    for item in settings_fields():
        flag = "--" + item.name.replace("_", "-")
        assert f"`{flag}" in page, flag
        assert f"`PAGEHAND_{item.name.upper()}`" in page, item.name


def test_the_default_of_a_switch_is_what_it_is() -> None:
    rows = [line.split("|") for line in text("docs/settings.md").splitlines() if line.startswith("| `--")]
    defaults = {row[1].strip(): row[6].strip() for row in rows}
    assert (defaults["`--insecure`"], defaults["`--late-accept`"]) == ("no", "yes")


def test_every_flag_that_a_page_names_exists() -> None:
    known = {"--" + item.name.replace("_", "-") for item in settings_fields()}
    known |= {
        "--config",
        "--print-config",
        "--version",
        "--help",
        "--token-file",
        "--no-insecure",
        "--no-late-accept",
        "--no-search",
    }
    known |= flags()
    # Flags of other programs: curl, pip, podman, mypy, pagehand simulate, move, doctor, bench, chores, campaigns.
    known |= {"--url", "--hold-s", "--from", "--to", "--keyboard", "--plain"}
    known |= {"--long", "--seed", "--label", "--data-binary", "--data-urlencode"}
    known |= {"--editable", "--strict", "--workers", "--jobs", "--short", "--only", "--rounds", "--profile", "--dir"}
    known |= {
        "--beside",
        "--tornado",
        "--pages",
        "--consoles",
        "--times",
        "--npm",
        "--prefix",
        "--seconds",
        "--sizes",
        "--submit",
        "--transport",
        "--leave",
        "--turns",
        "--max-time",
    }
    known |= {"--secret", "--time"}  # podman
    known |= {"--no-deps", "--wheel-dir", "--system", "--home-dir", "--shell", "--now", "--force-reinstall"}
    known |= {"--require-hashes"}  # pip
    for path in PAGES:
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+[a-z]", path.read_text("utf-8")))
        assert named - known == set(), shown(path)


def test_every_op_has_its_place_in_the_protocol() -> None:
    page = text("docs/protocol.md")
    for title, ops in (("## Page to server", PAGE_OPS), ("## Server to page", SERVER_OPS)):
        headings = re.findall(r"^### (.+)$", section(page, title), re.M)
        assert {word for heading in headings for word in re.findall(r"`(\w+)`", heading)} == ops


def test_the_protocol_lists_exactly_the_refused_codes_that_the_server_sends() -> None:
    assert first_cells(section(text("docs/protocol.md"), "## Refused codes")) == refused_codes()


def test_the_protocol_lists_the_verdicts_that_pages_hear() -> None:
    # One that the store refuses goes to the page as `refused`.
    heard = {str(verdict) for verdict in Verdict} - {"refused"}
    assert first_cells(section(text("docs/protocol.md"), "## Verdicts")) == heard


def error_codes() -> set[str]:
    """Every code in the tree of errors, and every code given where an error is raised."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PagehandError)
    ]
    given = {
        code
        for path in sorted(ROOT.glob("handlers/*.py"))
        for code in re.findall(r'code="(\w+)"', path.read_text("utf-8"))
    }
    guard = set(re.findall(r'Refusal\(\d+, "(\w+)"', text("handlers/guard.py")))
    store = {"refused"} if 'error="refused"' in text("dispatcher/store/driving.py") else set()
    return {kind.code for kind in kinds} | given | guard | store | set(http_errors._CODES.values())


def test_every_error_code_is_documented() -> None:
    page = section(text("docs/api.md"), "## Errors")
    assert {code for code in error_codes() if f"`{code}`" not in page} == set()


def test_every_route_is_documented() -> None:
    specs = routes(House().dispatcher, Settings(), TaskDirectory(shipped_tasks()))
    page = re.sub(r"<\w+>", "<>", section(text("docs/api.md"), "## Addresses"))
    for spec in specs:
        if spec.name in ("api-not-found", "not-found"):
            continue
        assert [address for address in addresses(spec.regex.pattern) if f"`{address}`" not in page] == []


def addresses(pattern: str) -> list[str]:
    """A route's pattern as people write it; ``(cancel|retry)`` are two."""
    choice = re.search(r"\(([a-z]+(?:\|[a-z]+)+)\)", pattern)
    if choice is not None:
        return [one for word in choice[1].split("|") for one in addresses(pattern.replace(choice[0], word))]
    plain = pattern.removesuffix("$").replace("\\", "")
    return [re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", "<>", plain)]


def test_every_field_of_a_job_is_documented() -> None:
    page = text("docs/api.md")
    job = section(page, "## A job")
    hidden = {"key", "percent", "note", "terms", "about"}  # shown inside progress, one by one, or not at all
    shown = {*JobView.__struct_fields__, *Terms.__struct_fields__, *About.__struct_fields__} - hidden
    assert {name for name in shown if f"`{name}`" not in job} == set()
    assert {name for name in AttemptView.__struct_fields__ if name not in job} == set()
    assert {state for state in JobState if f"`{state}`" not in job} == set()
    assert first_cells(section(page, "## Submit")) == set(JOB_FIELDS)


def test_every_code_and_field_of_why_a_job_waits_is_documented() -> None:
    part = section(text("docs/api.md"), "### Why it waits")
    codes = {*waiting._WORDS, *re.findall(r'"(\w+)"', inspect.getsource(waiting._code))}
    assert first_cells(part) == {"code"} | codes | set(waiting.Waiting.__struct_fields__) - {"code"}
    assert f"`{{{', '.join(waiting.Waiting.__struct_fields__)}}}`" in part


def test_every_field_of_a_worker_is_documented() -> None:
    part = section(text("docs/api.md"), "## A worker")
    assert {name for name in WorkerView.__struct_fields__ if f"`{name}`" not in part} == set()


@pytest.mark.parametrize("name", [*Schedule.__struct_fields__, *Terms.__struct_fields__])
def test_the_range_of_a_field_is_documented_as_it_is(name: str) -> None:
    [row] = re.findall(rf"^\| `{name}` \|.*$", section(text("docs/api.md"), "## Submit"), re.M)
    allowed = range_of(name)
    numbers = f"{allowed.low:.15g} to {allowed.high:.15g}"
    words = [f"`{choice}`" for choice in allowed.choices] or re.findall(
        r"[0-9]+(?: to [0-9]+)?", allowed.words or numbers
    )
    assert [part for part in words if part not in row] == []


def test_every_exit_status_is_documented() -> None:
    stated = re.search(r"exit status \((.*?)\)", text("server.py"))
    assert stated is not None
    assert first_column(section(text("docs/operations.md"), "## Exit statuses")) == re.findall(r"\d", stated[1])


def first_column(part: str) -> list[str]:
    return [
        cell for line in part.splitlines() if line.startswith("|") and (cell := line.split("|")[1].strip()).isdigit()
    ]


def test_the_words_of_a_refused_store_are_those_of_the_program() -> None:
    source = "".join(text(f"dispatcher/store/sqlite/{name}.py") for name in ("file", "backup", "log_mark")).replace(
        "{path}", "..."
    )
    part = section(text("docs/operations.md"), "## When the store is refused")
    for words in first_cells(part):
        assert re.sub(r"\s+", " ", words) in re.sub(r'"\s*\n\s*f?"|\s+', " ", source), words


# links and commands


def anchors(path: Path) -> set[str]:
    """The headings of a page as GitHub makes them addresses."""
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        other = (path.parent / name).resolve() if name else path
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_every_page_is_linked_from_another_one() -> None:
    linked = {
        (path.parent / target.partition("#")[0]).resolve()
        for path in PAGES
        for target in re.findall(r"\]\(([^)\s:]+)\)", path.read_text("utf-8"))
    }
    assert [shown(path) for path in PAGES if path.name != "README.md" and path not in linked] == []


def test_pictures_are_small_and_each_is_shown() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.png"))
    assert len(pictures) == 8
    for picture in pictures:
        assert picture.stat().st_size <= 150_000
        assert f"(docs/pictures/{picture.name})" in text("README.md") or f"(pictures/{picture.name})" in text(
            "docs/tasks.md"
        )


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_every_make_target_that_a_page_names_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.M))
    lines = re.findall(r"^ {4}make ([a-z-]+)|`make ([a-z-]+)[ `]", path.read_text("utf-8"), re.M)
    assert {one or other for one, other in lines} <= targets


def test_the_task_in_the_readme_is_the_one_that_the_pictures_show() -> None:
    found = re.search(r"```js\n(.*?)```", text("README.md"), re.S)
    assert found is not None
    assert found[1] == text("docs/pictures/tasks/print-label.js")


def blocks(name: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page: the language, and what stands in it."""
    return [(block.language, block.body) for block in blocks_of(name)]


def examples(name: str) -> list[tuple[str, str]]:
    """The commands of a page, each with what it prints."""
    console = [block for language, block in blocks(name) if language == "console"]
    return [pair for block in console for pair in re.findall(r"^\$ (.+)\n((?:(?!\$ ).+\n)+)", block, re.M)]


def links(name: str) -> list[str]:
    """The addresses with a query that a page names in its text; where `N` or `<id>` stands, it is none yet."""
    page = re.sub(r"```.*?```", "", text(name), flags=re.S)
    named = re.findall(r"(?:`(?:GET )?|<http://127\.0\.0\.1:8888)(/[^\s`<>?]*\?[^\s`<>]+=[^\s`<>]+)", page)
    return [link.partition("#")[0] for link in named if not link.endswith("=N")]


def printed(command: str, address: str, job: str, batch: str = "") -> str:
    command = command.replace("http://127.0.0.1:8888", address)
    done = subprocess.run(
        ["bash", "-c", command],
        env=os.environ | {"JOB": job, "BATCH": batch},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


#: A page DESK-1 in Berlin. It offers what the examples submit.
SIMULATOR = ("simulate", "--types=word-count,print-label", "--workers=1", "--name-prefix=DESK", "--label=site:berlin")


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_every_block_of_a_page_is_run_or_says_why_not(name: str) -> None:
    """The task is compared with the file that the pictures use; see above. ``sh``: docs/test_network.py."""
    languages = [language for language, _ in blocks(name) if language != "console"]
    assert languages == (["js", "sh", "sh"] if name == "README.md" else [])
    assert text(name).count("```") == 2 * len(blocks(name))
    assert text(name).count("\n$ ") == len(examples(name)), "a command without what it prints"
    # nginx: tests/e2e/test_nginx.py
    assert "A test runs these lines on Debian's nginx." in text("docs/offices.md")


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_what_is_not_tested_says_why_not(path: Path) -> None:
    asides = re.findall(r"[^.\n]*\b(?:not tested|untested|not run here|has been run)\b[^.\n]*", path.read_text("utf-8"))
    assert [aside for aside in asides if "the tests run on Linux" not in aside] == []


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_page_print_what_it_shows(name: str, tmp_path: Path) -> None:
    """`…` stands for anything."""
    with running("server.py", "--port=0", "--store", f"sqlite:///{tmp_path / 'docs.db'}") as server:
        assert server.stdout is not None
        address = next(found[1] for line in server.stdout if (found := re.search(r"overview +(http://\S+)/$", line)))
        (first, output), *others = examples(name)
        answer = printed(first, address, "")
        assert re.fullmatch(as_regex(output), answer, re.S), answer
        job = answer.split('"')[3]
        with running("-m", "dispatcher.sdk", *SIMULATOR, "--url", address):
            printed(f'curl -s "{address}/api/v1/jobs/$JOB?wait=20"', address, job)
            batch = ""
            for command, output in others:
                answer = printed(command, address, job, batch)
                batch = found[1] if (found := re.match(r'\{"batch":"([^"]+)"', answer)) else batch
                assert re.fullmatch(as_regex(output), answer, re.S), f"{command}\n{answer}"
            for link in links(name):
                printed(f'curl -sf "http://127.0.0.1:8888{link}"', address, job)


def as_regex(output: str) -> str:
    return ".*".join(map(re.escape, output.strip().split("…")))
