"""IE 11 understands everything in static/; and the gate that checks this catches what IE 11 does not understand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handlers.worker.script import PARTS, join

from .harness import STATIC
from .ie11.script import ScriptGate
from .ie11.sheet import check_html, check_style
from .npm import npm_file

SCRIPTS = sorted(STATIC.rglob("*.js"))
STYLES = sorted(STATIC.rglob("*.css"))
PAGES = sorted(STATIC.rglob("*.html"))


#: Scripts with lines of more than 100 characters, and how long they may be.
LONGER_LINES = {"submit.js": 125}


def relative(path: Path) -> str:
    return str(path.relative_to(STATIC))


@pytest.fixture(scope="module")
def gate() -> ScriptGate:
    return ScriptGate(npm_file("acorn", "8.15.0", "dist/acorn.js").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_script_is_es5_and_names_nothing_that_ie11_lacks(gate: ScriptGate, path: Path) -> None:
    assert gate.check(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "name",
    [
        "words.js",
        "language.js",
        "check.js",
        *(f"worker/{part}" for part in PARTS),
        "address.js",
        "task-files.js",
        "spoken.js",
        "page-words.js",
        "test-words.js",
        "test-lines.js",
        "question.js",
        "page.js",
    ],
)
def test_the_page_s_scripts_parse_as_es3_so_that_an_old_mode_reaches_the_message(gate: ScriptGate, name: str) -> None:
    assert gate.check((STATIC / name).read_text(encoding="utf-8"), version=3) == []


def test_the_parts_joined_are_es5_that_an_old_mode_can_read(gate: ScriptGate) -> None:
    assert gate.check(join()) == []
    assert gate.check(join(), version=3) == []


#: IE 11 skips these and loses nothing that a person needs.
ORNAMENTS = {"outline-offset", "color-scheme", "(prefers-color-scheme: dark)"}


@pytest.mark.parametrize("path", STYLES, ids=relative)
def test_a_style_sheet_uses_nothing_that_ie11_lacks(path: Path) -> None:
    found = check_style(path.read_text(encoding="utf-8"))
    assert [finding for finding in found if finding[2] not in ORNAMENTS] == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_a_page_uses_nothing_that_ie11_lacks(gate: ScriptGate, path: Path) -> None:
    assert check_html(path.read_text(encoding="utf-8"), gate.check) == []


@pytest.mark.parametrize("path", [*SCRIPTS, *STYLES, *PAGES], ids=relative)
def test_a_file_has_no_tabs_no_carriage_returns_and_lines_that_fit(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    limit = LONGER_LINES.get(path.name, 100 if path.suffix == ".js" else 200)
    too_long = [line for line in lines if len(line) > limit and not line.startswith("// pagehand:")]
    assert too_long == []
    assert not [line for line in lines if "\t" in line or "\r" in line or line != line.rstrip()]


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.parent.name != "tasks"], ids=relative)
def test_a_script_never_blocks_a_person_and_never_writes_html(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    forbidden = ("alert(", "confirm(", "prompt(", "innerHTML", "outerHTML", "document.write", "insertAdjacent", "eval(")
    assert [word for word in forbidden if word in source] == []


@pytest.mark.parametrize("path", sorted((STATIC / "tasks").glob("*.js")), ids=relative)
def test_a_task_file_begins_with_what_the_server_reads(path: Path) -> None:
    first = path.read_text(encoding="utf-8").split("\n")[0]
    facts = json.loads(first.removeprefix("// pagehand:"))
    assert set(facts) <= {"quick", "title", "example"}
    assert facts["title"]
    assert "example" in facts


MODERN_SYNTAX = [
    "let a = 1;",
    "const b = 2;",
    "var f = () => 1;",
    "class A {}",
    "var s = `x`;",
    "var {a} = b;",
    "function f(a = 1) {}",
    "f(...a);",
    "for (var x of y) {}",
    "function* g() {}",
    "async function f() {}",
    "var o = {a};",
    "var o = {f() {}};",
    "var o = {[a]: 1};",
    "a?.b;",
    "a ?? b;",
    "a ** 2;",
    "var n = 0b1;",
    "var r = /x/u;",
    "var r = /x/y;",
    "new RegExp('x', 'u');",
    "import a from 'b';",
    "f(a, b,);",
]


@pytest.mark.parametrize("source", MODERN_SYNTAX)
def test_the_gate_catches_syntax_that_came_after_es5(gate: ScriptGate, source: str) -> None:
    assert gate.check(source) != []


MODERN_NAMES = [
    "new Promise(f);",
    "fetch('/x');",
    "Symbol('x');",
    "Object.assign({}, a);",
    "Object.entries(a);",
    "Array.from(a);",
    "a.includes(b);",
    "a.startsWith('x');",
    "a.padStart(2);",
    "[1].find(f);",
    "Number.isInteger(1);",
    "Number.isNaN(1);",
    "Math.trunc(1);",
    "String.raw(x);",
    "new URL('x');",
    "new URLSearchParams('x');",
    "new AbortController();",
    "new TextEncoder();",
    "element.closest('p');",
    "element.matches('p');",
    "document.body.append(x);",
    "x.parentNode.remove();",
    "document.querySelectorAll('p').forEach(f);",
    "new Event('x');",
    "new CustomEvent('x');",
    "e.classList.add('a', 'b');",
    "e.classList.toggle('a', true);",
    "e.addEventListener('x', f, {passive: true});",
    "xhr.responseType = 'json';",
    "navigator.sendBeacon('/x');",
    "navigator.clipboard.writeText('x');",
    "window.crypto.getRandomValues(a);",
    "document.currentScript.src;",
    "globalThis.x = 1;",
    "queueMicrotask(f);",
    "structuredClone(a);",
    "new Map([[1, 2]]);",
    "new WeakRef(a);",
    "new Proxy(a, b);",
    "Reflect.ownKeys(a);",
]


@pytest.mark.parametrize("source", MODERN_NAMES)
def test_the_gate_catches_a_name_that_ie11_lacks(gate: ScriptGate, source: str) -> None:
    assert gate.check(source) != []


PLAIN = [
    "if (typeof Promise !== 'undefined') { new Promise(f); }",
    "if ('closest' in element) { element.closest('p'); }",
    "var source = w.crypto || w.msCrypto;  // ie11-ok: crypto",
    "var fetch = 1; fetch += 1;",
    "var o = {get a() { return 1; }, default: 2}; o.default;",
    "element.classList.add('a'); list.remove(x); map.find(key);",
    "new XMLHttpRequest(); new Uint8Array(4); JSON.parse(x); a.indexOf(b); Object.keys(o).forEach(f);",
]


@pytest.mark.parametrize("source", PLAIN)
def test_the_gate_lets_pass_what_ie11_has_and_what_is_tested_for(gate: ScriptGate, source: str) -> None:
    assert gate.check(source) == []


MODERN_STYLE = [
    "a { display: grid; }",
    "a { gap: 1px; }",
    "a { color: var(--x); }",
    "a { --x: 1; }",
    "a { position: sticky; }",
    "a { width: min(1px, 2px); }",
    "a { color: #11223344; }",
    "a { color: rgb(1 2 3); }",
    "a { inset: 0; }",
    "a { object-fit: cover; }",
    "a:focus-visible { color: red; }",
    "a:is(b) { color: red; }",
    "@supports (display: grid) { a { color: red; } }",
    "@media (prefers-color-scheme: dark) { a { color: red; } }",
    "a { b { color: red; } }",
    "a { width: 1dvh; }",
]


@pytest.mark.parametrize("source", MODERN_STYLE)
def test_the_gate_catches_style_that_ie11_lacks(source: str) -> None:
    assert check_style(source) != []


MODERN_HTML = [
    "<dialog></dialog>",
    "<template></template>",
    "<script type='module' src='x.js'></script>",
    "<script>let a;</script>",
    "<p style='display: grid'></p>",
    "<p onclick='(() => 1)()'></p>",
    "<img loading='lazy' src='x'>",
    "<input type='date'>",
]


@pytest.mark.parametrize("source", MODERN_HTML)
def test_the_gate_catches_html_that_ie11_lacks(gate: ScriptGate, source: str) -> None:
    assert check_html(source, gate.check) != []
