"""What a form's texts and files become: names without directories, JSON as it came, words for what is none."""

from __future__ import annotations

import json

import pytest

from handlers.errors import Invalid
from handlers.forms.formdata import chosen_file, job_of_form


@pytest.mark.parametrize(
    "path",
    [
        "report.txt", r"C:\Users\Me\report.txt", r"\\server\share\report.txt", "/home/me/report.txt",
        "C:/temp/report.txt", r"C:\a/b\report.txt",
    ],
)  # fmt: skip
def test_a_file_has_its_name_without_the_directories_of_its_computer(path: str) -> None:
    assert chosen_file(path, "text/plain", b"x").name == "report.txt"


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("text/plain", "text/plain"),
        ("Text/Plain; charset=windows-1252", "text/plain"),
        ("application/vnd.ms-excel", "application/vnd.ms-excel"),
        ("text/plain,text/html", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("x/" + "y" * 61, "application/octet-stream"),
    ],
)
def test_the_kind_of_a_file_is_read_as_every_media_type_is(declared: str, kind: str) -> None:
    assert chosen_file("a", declared, b"x").url == f"data:{kind};base64,eA=="


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("priority", "5.0", 5),
        ("max_attempts", "1e1", 10),
        ("timeout_s", "1.30000000000000004", 1.3),
        ("delay_s", "1e-07", 1e-07),
        ("expires_s", "3600", 3600.0),
    ],
)
def test_a_number_may_be_written_as_programs_write_it(name: str, text: str, value: float) -> None:
    assert getattr(job_of_form({"type": "x", name: text}, None), name) == value


@pytest.mark.parametrize("text", ["5.5", "1e400", "1e", "0x5", "5.", ".5", "1001.0", "five"])
def test_what_is_no_whole_number_in_its_range_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="priority: must be a whole number from -1000 to 1000"):
        job_of_form({"type": "x", "priority": text}, None)


def test_a_byte_order_mark_that_was_pasted_before_the_data_is_skipped() -> None:
    assert bytes(job_of_form({"type": "x", "data": '\ufeff{"a": 1}'}, None).data) == b'{"a": 1}'
    assert bytes(job_of_form({"type": "x", "data": "\ufeff"}, None).data) == b"null"


def test_a_byte_order_mark_in_a_text_is_a_part_of_it() -> None:
    data = job_of_form({"type": "x", "data": "\ufeffa", "format": "text"}, None).data
    assert json.loads(bytes(data)) == "\ufeffa"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            '{"path": "C:\\Users"}',
            "line 1, column 13: \\U means nothing in JSON: a backslash itself is written as \\\\",
        ),
        ('{"a":\n "x\ny"}', "line 2, column 4: a text may not hold a line break, write it as \\n"),
        ('"\\ud83d"', "line 1, column 2: \\ud83d is half a character (half a surrogate pair)"),
        ("[NaN]", "line 1, column 2: there is no NaN in JSON: send null, or a text"),
    ],
)
def test_data_that_is_not_json_says_where_and_what_to_do(data: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        job_of_form({"type": "x", "data": data}, None)
    assert f"is not JSON: {words}" in caught.value.errors[0]["detail"]
    assert caught.value.errors[0]["detail"].endswith(". To send it as it is, choose Text as the format.")


def test_a_file_goes_into_no_object_that_names_a_field_twice() -> None:
    chosen = chosen_file("a.txt", "text/plain", b"x")
    twice = {"type": "x", "data": '{"a": 1, "a": 2}'}
    with pytest.raises(Invalid, match="data: names the field a twice"):
        job_of_form(twice, chosen)
    assert bytes(job_of_form(twice, None).data) == b'{"a": 1, "a": 2}'
