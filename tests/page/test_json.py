"""The page writes JSON as the standard says, whatever stands on the language's prototypes, and reads it if it must."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import quickjs

from handlers.worker.script import PARTS_DIRECTORY

from .harness import bare_engine

#: Expressions whose JSON is that of ``JSON.stringify`` to the letter.
VALUES = [
    *("0", "-0", "1.5", "-1e-7", "1e21", "123456789012345680000", "NaN", "-Infinity", "true", "null", "undefined"),
    *("''", "'\\b\\t\\n\\f\\r\\v\\u0000\\u001f\\u007f\"\\\\/'", "'\\u2028\\u00fc\\u20ac\\ud83d\\ude00'", "'__proto__'"),
    *("[]", "[,1]", "[undefined, function () {}, NaN]", "{}", "{a: undefined, b: function () {}, c: [{}]}"),
    *("new String('a\"b')", "new Number(-0)", "new Boolean(false)", "Object('x')", "[new Number(NaN)]"),
    *(
        "new Date(0)",
        "new Date(-1)",
        "new Date(NaN)",
        "new Date(8.64e15)",
        "new Date(-8.64e15)",
        "new Date(253402300800000)",
    ),
    *("{toJSON: 5}", "{toJSON: function () { return 5; }}", "[{toJSON: function (key) { return [key, typeof key]; }}]"),
    *("{a: {toJSON: function (key) { return {toJSON: function () { return key; }}; }}}", "{toJSON: function () {}}"),
    *("Object.create({inherited: 1})", "Object.create({toJSON: function () { return this === undefined; }})"),
    *("new Error('x')", "/x/g", "function () {}", "Math", "JSON", "new Uint8Array([1, 2])", "Object.create(null)"),
    *("{2: 'b', 1: 'a', z: 1, a: 2}", "Object.defineProperty({}, 'hidden', {value: 1})"),
    *(
        "(function () { var d = new Date(0); d.toJSON = null; return d; }())",
        "(function () { return arguments; }(1, 2))",
    ),
    *(
        "(function () { var f = function () {}; f.toJSON = function () { return 1; }; return [f]; }())",
        "[[[[[[[1]]]]]]]",
    ),
    *("{get a() { return 1; }}", "(function () { var a = {}; return [a, a, {b: a}]; }())"),
]


def engine(*, native: bool = True, of: quickjs.Context | None = None) -> quickjs.Context:
    """What reads and writes JSON, alone. Not native: a library has taken JSON.parse away."""
    made = of or bare_engine()
    made.eval("var parts = {root: Object.create(this)};")
    if not native:
        made.eval("parts.root.JSON = {};")
    for part in ("builtins.js", "json.js", "parse.js"):
        made.eval((PARTS_DIRECTORY / part).read_text(encoding="utf-8"))
    return made


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_written_as_the_standard_says(value: str) -> None:
    js = engine()
    assert js.eval(f"parts.toJson({value})") == js.eval(f"JSON.stringify({value})")


@pytest.mark.parametrize("value", ["(function () { var a = []; a[0] = {a: a}; return a; }())", "[BigInt(1)]"])
def test_what_has_no_json_throws(value: str) -> None:
    with pytest.raises(quickjs.JSException, match=r"contains itself|make it a text"):
        engine(of=quickjs.Context()).eval(f"parts.toJson({value})")


def test_a_class_of_a_page_s_own_keeps_its_tojson_and_one_of_the_language_gets_none() -> None:
    js = engine()
    js.eval("Array.prototype.toJSON = Date.prototype.toJSON = function () { return 'spoiled'; };")
    js.eval("function Point() {} Point.prototype.toJSON = function () { return [1, 2]; };")
    js.eval("function Sub() {} Sub.prototype = Object.create(Point.prototype);")
    js.eval(
        "class Day extends Date { toJSON() { return 'day'; } } class List extends Array { toJSON() { return 'list'; } }"
    )
    text = js.eval("parts.toJson([new Point(), new Sub(), new Day(0), new List(), new Date(0), []])")
    assert json.loads(text) == [[1, 2], [1, 2], "day", "list", "1970-01-01T00:00:00.000Z", []]


def test_what_only_says_that_it_is_a_date_or_a_box_is_written_as_what_it_is() -> None:
    js = engine(of=quickjs.Context())
    for name in ("Date", "String", "Number"):
        assert js.eval(f"parts.toJson({{a: 1, [Symbol.toStringTag]: '{name}'}})") == '{"a":1}'


def some(chance: random.Random, depth: int) -> Any:
    """Some JSON."""
    kind = chance.randrange(8 if depth else 5)
    text = "".join(chance.choice('ab"\\/\b\f\n\r\t\x00\x1f\x7fü€\u2028😀[]{},: ') for _ in range(chance.randrange(8)))
    if kind < 5:
        return [None, True, chance.randrange(-(10**6), 10**6), chance.random() * 10 ** chance.randrange(-9, 9), text][
            kind
        ]
    if kind == 5:
        return {}
    if kind == 6:
        return [some(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {chance.choice(["a", "__proto__", "toJSON", "length", text]): some(chance, depth - 1) for _ in range(3)}


@pytest.mark.parametrize("seed", range(3))
def test_any_json_is_read_and_written_back_as_it_was(seed: int) -> None:
    own, native = engine(native=False), engine()
    chance = random.Random(seed)
    for _ in range(100):
        value = some(chance, 4)
        text = json.dumps(value, indent=chance.choice([None, 1]), ensure_ascii=chance.random() < 0.5)
        for js in (own, native):
            assert json.loads(js.eval(f"parts.toJson(parts.parseJson({json.dumps(text)}))")) == value


BROKEN = [
    *(
        "",
        " ",
        "{",
        "[",
        '"',
        "[1",
        "[1,]",
        "[,1]",
        '{"a":1,}',
        "{,}",
        '{"a"}',
        '{"a":}',
        "{a:1}",
        "{'a':1}",
        "nul",
        "True",
    ),
    *("01", "1.", ".5", "+1", "-", "1e", "0x1", "NaN", "Infinity", "[1 2]", '"\t"', '"\\x"', '"\\u12"', '"\\u12g4"'),
    *('"\\', "1 1", "[]]", "{}x", '"a" "b"', "\u00a01", "[1}", '{"a" 1}', "undefined", "toString", "\ufeff1"),
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_json_is_not_read(text: str) -> None:
    assert engine().eval(f"parts.parseJson({json.dumps(text)})") is None
    assert engine(native=False).eval(f"typeof parts.parseJson({json.dumps(text)})") == "undefined"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"op":"job","data":12345678901234567890.10,"id":"x"}', "12345678901234567890.10"),
        ('{"data" : {"a": [1, "}\\"]"], "data": 5} , "x": 1}', '{"a": [1, "}\\"]"], "data": 5}'),
        ('{"x":"\\"data\\":1","data":"\\u00fc,"}', '"\\u00fc,"'),
        ('{"x":{"data":1},"data":[ ]}', "[ ]"),
        ('{"data":1,"data":-2e5}', "-2e5"),
        (' { "\\u0064ata" : null } ', "null"),
        ('{"data":true}', "true"),
        ("{}", None),
    ],
)
def test_a_field_is_cut_out_of_its_message_as_it_stands(text: str, data: str | None) -> None:
    assert engine().eval(f"parts.fieldText({json.dumps(text)}, 'data')") == data
