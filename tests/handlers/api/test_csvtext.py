"""Jobs as CSV: what is quoted, what is an apostrophe's, and what is a column."""

from __future__ import annotations

import csv
import io

import pytest
from msgspec import Raw

from handlers.api.csvtext import csv_head, csv_rows, usual_fields


def test_the_first_line_names_the_columns_behind_the_mark_of_utf8() -> None:
    assert csv_head(("id", "progress", "error", "requires")) == (
        "\ufeffid,progress_percent,progress_note,error_code,error_message,requires\r\n"
    )


def test_a_row_ends_with_crlf_and_quotes_what_would_end_a_cell() -> None:
    text = csv_rows([{"id": 'a "b", c', "note": "two\r\nlines", "x": "plain"}], ("id", "note", "x"))
    assert text == '"a ""b"", c","two\r\nlines",plain\r\n'


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        '=cmd|"/c"!A1',
    ],
)
def test_a_text_that_a_spreadsheet_would_take_for_a_formula_gets_an_apostrophe(text: str) -> None:
    [row] = csv.reader(io.StringIO(csv_rows([{"detail": text}], ("detail",)), newline=""))
    assert row == ["'" + text]
    error = Raw(b'{"code":"=1","message":"-2"}')
    assert csv_rows([{"error": error}], ("error",)) == "'=1,'-2\r\n"


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    job: dict[str, object] = {"priority": -5, "timeout_s": 30.0, "detail": None, "late": True, "tags": []}
    assert csv_rows([job], ("priority", "timeout_s", "detail", "late", "tags")) == "-5,30.0,,true,\r\n"


def test_an_object_is_json_or_has_a_column_for_each_member() -> None:
    job: dict[str, object] = {
        "requires": {"printer": ["zebra", "brother"]},
        "progress": {"percent": 50.0, "note": None},
        "error": Raw(b'{"message":"out of paper","stack":"at f"}'),
    }
    [row] = csv.reader(io.StringIO(csv_rows([job], ("requires", "progress", "error")), newline=""))
    assert row == ['{"printer":["zebra","brother"]}', "50.0", "", "", "out of paper"]
    assert csv_rows([{"progress": None, "error": Raw(b"7")}], ("progress", "error")) == ",,,\r\n"


def test_what_is_for_programs_is_no_column_unless_it_is_chosen() -> None:
    assert usual_fields(("id", "traceparent", "waiting", "links", "waits")) == ("id", "waits")
