"""What the page sends and keeps does not depend on what a library or a task puts in the language's place."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from handlers.worker.script import join
from tests.support.missing import missing

#: Each ends in a value by another way; what they return covers the kinds of values there are.
TASKS = """
var seen = null;
Pagehand.task('spoil', function () { SPOIL; return null; }, {quick: true});
Pagehand.task('echo', function (job) { return job.data; }, {quick: true});
Pagehand.task('values', function () {
  return [1, -0, 1e21, 0.1, NaN, 'a"\\\\\\n\\u00fc\\u0001\\ud83d', true, null,
    undefined, [[], {}], {'__proto__x': 1, u: undefined}];
}, {quick: true});
Pagehand.task('dates', function () { return [day, {at: day}, never]; }, {quick: true});
Pagehand.task('own', function () { return {a: owner, b: inheritor, n: boxed}; }, {quick: true});
Pagehand.task('frame', function () { return frame; }, {quick: true});
Pagehand.task('throws', function () { throw oops; }, {quick: true});
Pagehand.task('text', function (job) { return job.text; });
Pagehand.task('later', function (job, done) {
  job.log('line "1"'); job.progress(5, 'half'); done(null, 'x');
}, {quick: true});
"""
#: Made before anything is spoiled: what a task is given or makes of its own is not the page's to answer for.
VALUES = """
var day = new Date(Date.UTC(2026, 10, 3, 4, 5, 6, 7)), never = new Date(NaN), boxed = [new Number(5), new String('s')];
var owner = {x: 1, toJSON: function (key) { return 'own ' + key; }};
function Money() { this.cents = 5; }
Money.prototype.toJSON = function () { return {cents: this.cents}; };
var inheritor = new Money();
var oops = new Error('out of paper');
oops.stack = 'at the printer';
"""
RESULTS = ["echo", "values", "dates", "own", "throws", "text", "later", "frame"]
#: A frame of the page with the same library in it.
FRAME = """
var made = [1, {a: new Date(0), s: new String('s')}];
Array.prototype.toJSON = Date.prototype.toJSON = Object.prototype.toJSON = function () { return 'spoilt'; };
made;
"""

#: Words of our own messages, records and options.
OUR_WORDS = [
    *("url", "types", "name", "token", "labels", "slots", "env", "storageKey", "quick", "then"),
    *("code", "retry", "stack", "text", "confirm", "attempt", "reason", "percent", "note", "after"),
    *("worker", "secret", "paused", "told", "today", "day", "done", "failed", "packet_limit", "post_limit"),
    *("offer_ttl_ms", "status", "event", "job", "detail", "0"),
    *("transport", "transport_reason", "upgrades", "socket", "failures", "why", "at", "until", "1006"),
]


def to_json(*owners: str, gives: str) -> str:
    return "".join(f"{owner}.prototype.toJSON = " for owner in owners) + f"function () {{ return {gives}; }};"


#: Old engines have no tags.
TAG = "if (typeof Symbol !== 'undefined') { %s.prototype[Symbol.toStringTag] = '%s'; }"

#: What Prototype.js 1.6, MooTools 1.2 and their like do: a page loads them before or after the worker's script.
LIBRARIES = {
    "toJSON of arrays, as in Prototype 1.6": to_json("Array", gives="'[' + this.join(', ') + ']'"),
    "toJSON of texts": to_json("String", gives="'text'"),
    "toJSON of numbers and booleans": to_json("Number", "Boolean", gives="'n'"),
    "toJSON of dates": to_json("Date", gives="'\"2026\"'"),
    "toJSON, and another constructor of lists": to_json("Array", gives="'list'")
    + "Array.prototype.constructor = Object.prototype.constructor = function () {};",
    "another toString of every object": "Object.prototype.toString = function () { return '[object Thing]'; };",
    "another tag of every object": TAG % ("Object", "Thing"),
    "dates that are called numbers": TAG % ("Date", "Number"),
    "toISOString of dates": "Date.prototype.toISOString = function () { return 'today'; };",
    "toJSON of everything": to_json("Object", gives="'all'"),
    "toJSON of functions and errors": to_json("Function", "Error", gives="'e'"),
    "enumerable things on every object": "Object.prototype.extend = function () {}; Object.prototype.name = 'x';",
    "enumerable things on every list": "Array.prototype.each = function () {}; Array.prototype.first = 1;",
    "our own words on every object": f"{json.dumps(OUR_WORDS)}.forEach(function (name) {{ Object.prototype[name] ="
    " name === 'then' ? function () {} : name === 'retry' ? false : 'x'; });",
    "a frozen Object.prototype": "Object.freeze(Object.prototype);",
    "Object.keys with all that is inherited": (
        "Object.keys = function (o) { var k, all = []; for (k in o) { all.push(k); } return all; };"
        " Object.prototype.inherited = 1;"
    ),
    "no JSON.parse, as in MooTools 1.2": "JSON = {encode: function () {}, decode: function () {}};",
    "another JSON": "JSON = {stringify: function () { return '1'; }, parse: function () { return {}; }};",
    "another JSON.stringify and parse": "JSON.stringify = JSON.parse = function () { throw new Error('gone'); };",
    "lists of its own": (
        "['forEach','map','filter','indexOf','some','every','push','shift','splice','slice','concat','join'].forEach("
        "function (name) { Array.prototype[name] = function () { throw new Error(name); }; });"
    ),
    "a bind of its own": "Function.prototype.bind = function (self) { var f = this; return function () {"
    " return f.apply(self, Array.prototype.concat.apply([], arguments)); }; };",
}
#: What the others need, or what forbids them.
ALONE = {"a frozen Object.prototype", "lists of its own"}
#: Nobody does this, but a task may: then everything is gone at once. Before the script it would be another language.
RUIN = (
    {
        f"no {name} on {owner}": f"{owner}.prototype.{name} = function () {{ throw new Error('{name}'); }};"
        for owner, name in [
            ("String", "slice"),
            ("String", "indexOf"),
            ("String", "split"),
            ("String", "replace"),
            ("String", "charAt"),
            ("String", "charCodeAt"),
            ("String", "trim"),
            ("RegExp", "test"),
            ("RegExp", "exec"),
            ("Array", "sort"),
            ("Number", "toString"),
            ("Object", "hasOwnProperty"),
            ("Object", "toString"),
            ("Function", "call"),
            ("Function", "apply"),
            ("Function", "bind"),
            ("Function", "toString"),
            ("Date", "getTime"),
            ("Date", "getUTCFullYear"),
            ("Date", "getFullYear"),
        ]
    }
    | {
        "no RegExp.prototype[Symbol.replace]": "RegExp.prototype[Symbol.replace] = function () { return 'z'; };",
        "no RegExp.prototype[Symbol.split]": "RegExp.prototype[Symbol.split] = function () { return ['z']; };",
    }
    | {
        f"another {name}": f"{name} = function () {{ throw new Error('{name}'); }};"
        for name in [
            *("Object", "Array", "String", "Number", "Date", "RegExp", "Math", "Error", "Boolean", "Function"),
            *(
                "decodeURIComponent",
                "encodeURIComponent",
                "Array.isArray",
                "Object.create",
                "Object.getPrototypeOf",
                "Math.floor",
            ),
        ]
    }
)
#: But for what the others need, or what forbids them.
EVERYTHING = ";".join(
    code for name, code in LIBRARIES.items() if name not in ("a frozen Object.prototype", "lists of its own")
)
WHENS = ["before", "after", "task", "between"]
CASES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "nothing, without a shelf": {"shelf": False},
    **{f"{name}, {when}": {when: code} for name, code in LIBRARIES.items() for when in WHENS},
    **{f"{name}, {when}": {when: code} for name, code in RUIN.items() for when in ("after", "between")},
    "all at once": {"before": EVERYTHING},
    "all at once, without a shelf": {"before": EVERYTHING, "shelf": False},
}


def given(
    *, before: str = "", after: str = "", task: str = "", between: str = "", shelf: bool = True
) -> dict[str, Any]:
    """A page that does this to the language; without a shelf, its worker keeps what it must in window.name."""
    fixed = {"script": join(), "tasks": TASKS.replace("SPOIL", task), "results": RESULTS, "frame": FRAME}
    return fixed | {"before": VALUES + before, "after": after, "between": between, "shelf": shelf}


@pytest.fixture(scope="module")
def lives() -> dict[str, Any]:
    """What the worker of each page has sent and kept."""
    node = shutil.which("node")
    if node is None:
        missing("needs node")
    asked = json.dumps([given(**case) for case in CASES.values()])
    program = Path(__file__).with_name("spoiled.js")
    done = subprocess.run([node, program], input=asked, capture_output=True, text=True, check=True, timeout=100)
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


def test_the_measure_is_a_page_that_spoils_nothing(lives: dict[str, Any]) -> None:
    messages = [text for post in lives["nothing"]["sent"][::2] for text in post[1].split("\x1e")]
    said = [json.loads(text[1:]) for text in messages if text[0] == "4"]
    assert [message["value"] for message in said if message["op"] == "result"][1:9] == [
        {"list": [1, "a", None]},
        [1, 0, 1e21, 0.1, None, 'a"\\\nü\x01\ufffd', True, None, None, [[], {}], {"__proto__x": 1}],
        ["2026-11-03T04:05:06.007Z", {"at": "2026-11-03T04:05:06.007Z"}, None],
        {"a": "own a", "b": {"cents": 5}, "n": [5, "s"]},
        '{"list":[1,"a",null]}',
        "x",
        [1, {"a": "1970-01-01T00:00:00.000Z", "s": "s"}],
        {"list": [1, "a", None]},
    ]
    ops = {"register", "accept", "result", "error", "log", "progress", "released", "pause", "bye"}
    assert {message["op"] for message in said} == ops
    noted = str(lives["nothing"]["noted"])
    for words in ("no answer from http://site.test", "502: Bad Gateway", "that says: Log in", "403: not from here"):
        assert words in noted
    for words in ("moved to a WebSocket", "the socket to http://site.test broke after 0 s"):
        assert words in noted
    frames = [text for url, text in lives["nothing"]["sent"][::2] if str(url).startswith("ws:")]
    assert frames[:2] == ["2probe", "5"]
    assert frames.count("3") == 2
    assert "stash.b1" in str(lives["nothing"]["kept"])
    assert "stash.b1" in lives["nothing, without a shelf"]["kept"][2]


@pytest.mark.parametrize("case", [case for case in CASES if "nothing" not in case])
def test_what_a_page_or_a_task_puts_in_the_language_s_place_changes_nothing(case: str, lives: dict[str, Any]) -> None:
    assert lives[case] == lives["nothing, without a shelf" if "without" in case else "nothing"]
