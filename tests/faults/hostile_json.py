"""Bodies for ``POST /api/v1/jobs`` that are hard on a parser: not JSON, not a job, or odd and yet fine."""

from __future__ import annotations

__all__ = ["KEPT", "NEVER_JSON", "NO_JOB", "Body"]

Body = tuple[str, bytes]
DEEP = 100_000
MANY = 1_000_000


def _job(data: bytes) -> bytes:
    return b'{"type":"nobody","data":' + data + b"}"


#: Not JSON in UTF-8, or nested absurdly deep: 400.
NEVER_JSON: list[Body] = [
    ("nothing", b""),
    ("invalid UTF-8", _job(b'"\xff\xfe"')),
    ("UTF-8 cut off", _job(b'"\xe2\x82"')),
    ("overlong UTF-8", _job(b'"\xc0\xaf"')),
    ("a surrogate in UTF-8", _job(b'"\xed\xa0\x80"')),
    ("UTF-16 with its mark", _job(b"1").decode().encode("utf-16")),
    ("UTF-16 without", _job(b"1").decode().encode("utf-16-be")),
    ("UTF-32", _job(b"1").decode().encode("utf-32")),
    ("arrays that never close", _job(b"[" * DEEP)),
    ("arrays in arrays", _job(b"[" * DEEP + b"]" * DEEP)),
    ("objects that never close", _job(b'{"a":' * DEEP)),
    ("objects in objects", _job(b'{"a":' * DEEP + b"1" + b"}" * DEEP)),
    ("arrays and objects", _job(b'[{"a":' * DEEP + b"1" + b"}]" * DEEP)),
    ("nothing but brackets", b"[" * 900_000),
    ("NaN", _job(b"NaN")),
    ("Infinity", _job(b"-Infinity")),
    ("a number that goes on", _job(b"1e")),
    ("a number with zeros before", _job(b"0012")),
    ("hex", _job(b"0x10")),
    ("a comment", _job(b"1/* */")),
    ("a comma too many", _job(b"[1,]")),
    ("single quotes", _job(b"'x'")),
    ("a control character in a text", _job(b'"\x01"')),
    ("a lone surrogate in the type", rb'{"type":"\ud800"}'),
    ("two values", _job(b"1") + _job(b"2")),
    ("a NUL after it", _job(b"1") + b"\0"),
]

#: JSON, but not a job: 422.
NO_JOB: list[Body] = [
    ("a million keys", b"{" + b",".join(b'"%d":1' % number for number in range(MANY)) + b"}"),
    ("a million times the same key", b"{" + b",".join([b'"a":1'] * MANY) + b"}"),
    ("a key of a megabyte", b'{"' + b"k" * MANY + b'":1}'),
    ("a million digits", b'{"type":"nobody","priority":' + b"9" * MANY + b"}"),
    ("a huge exponent", b'{"type":"nobody","delay_s":1e999}'),
    ("a huge negative exponent with a sign", b'{"type":"nobody","timeout_s":-1e-999}'),
    ("2^63", b'{"type":"nobody","max_attempts":9223372036854775808}'),
    ("a key of ours twice, once wrong", b'{"type":"nobody","priority":1,"priority":"x"}'),
    ("a NUL in the type", rb'{"type":"x\u0000"}'),
    ("a text", b'"' + b"x" * MANY + b'"'),
    ("null", b"null"),
]

#: JSON that a program may well send: kept as the text that came.
KEPT: list[tuple[str, str]] = [
    ("a million keys", "{" + ",".join(f'"{number}":1' for number in range(MANY)) + "}"),
    ("the same key twice", '{"a":1,"a":2}'),
    ("2^63", "9223372036854775808"),
    ("a hundred thousand digits", "9" * 100_000),
    ("a float beyond floats", "1e999"),
    ("zeros after the point", "1.10e+00"),
    ("nested a hundred times", "[" * 100 + "]" * 100),
    ("spaces", '{ "a" :  [ 1 , 2 ] }'),
    ("escapes", r'"\u0041\/\u00e9é"'),
]
