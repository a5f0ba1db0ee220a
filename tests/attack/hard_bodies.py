"""Bodies that are hard for some parser: deep, long, ambiguous, in another encoding."""

from __future__ import annotations

__all__ = ["special_bodies"]


def special_bodies() -> list[tuple[str, str, bytes]]:
    """The hard bodies, each with its name and content type."""
    form, multi = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
    part = b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nx\r\n'
    pieces = b";".join(b"a*%d*=''%%ff" % n for n in range(20_000))
    job = b'{"type":"x","data":%b}'
    return [
        ("nested arrays", "application/json", job % (b"[" * 100_000)),
        ("nested and closed", "application/json", job % (b"[" * 100_000 + b"]" * 100_000)),
        ("nested objects", "application/json", job % (b'{"a":' * 100_000)),
        ("nested in no job", "application/json", b"[" * 900_000),
        ("many keys", "application/json", b"{%b}" % b",".join(b'"%d":1' % n for n in range(80_000))),
        ("unknown keys like ours", "application/json", b"{%b}" % b",".join(b'"typ%d":1' % n for n in range(70_000))),
        ("one long key", "application/json", b'{"%b":1}' % (b"k" * 900_000)),
        ("digits", "application/json", b'{"type":"x","priority":%b}' % (b"9" * 900_000)),
        ("digits in data", "application/json", job % (b"9" * 900_000)),
        ("digits and an exponent", "application/json", b'{"type":"x","delay_s":1e%b}' % (b"9" * 900_000)),
        ("UTF-16", "application/json", '{"type":"x"}'.encode("utf-16")),
        ("a byte order mark", "application/json", b'\xef\xbb\xbf{"type":"x"}'),
        ("a lone surrogate", "application/json", rb'{"type":"x","data":"\ud800"}'),
        ("a NUL", "application/json", rb'{"type":"x","data":"\u0000"}'),
        ("NaN", "application/json", job % b"NaN"),
        ("a gzip bomb's head", "application/json", b"\x1f\x8b\x08" + bytes(10_000)),
        ("fields", form, b"&".join(b"f%d=1" % n for n in range(10_000))),
        ("ampersands", form, b"&" * 900_000),
        ("percent signs", form, b"data=" + b"%" * 900_000),
        ("parts", multi, part * 10_000 + b"--b--\r\n"),
        ("boundaries", multi, b"--b\r\n" * 100_000),
        ("a part's long head", multi, b'--b\r\nContent-Disposition: form-data; name="%b' % (b"\\" * 900_000)),
        ("semicolons", multi, b"--b\r\nContent-Disposition: form-data%b\r\n\r\nx\r\n--b--\r\n" % (b";" * 500_000)),
        ("continuations", multi, b"--b\r\nContent-Disposition: form-data; %b\r\n\r\nx\r\n--b--" % pieces),
        ("no boundary", "multipart/form-data", part),
        ("a boundary of everything", "multipart/form-data; boundary=" + "x" * 8_000, part),
    ]  # fmt: skip
