"""The schema of a field takes what the server takes, and refuses what it refuses."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from handlers.api.openapi.fields import query_field
from tests.handlers.conftest import Ask

_formats = FormatChecker(formats=())
_formats.checks("date-time", raises=ValueError)(lambda text: text.endswith("Z"))
PATHS = {"api-jobs": "/api/v1/jobs", "api-workers": "/api/v1/workers", "api-changes": "/api/v1/changes"}
CASES = [
    ("api-jobs", "type", ["", "echo", " echo ", " ", "\t", "\x01", "\x1f a", "ä"]),
    ("api-jobs", "state", ["queued", "Queued", "gone"]),
    ("api-jobs", "requires", ["", "site:berlin", " site:berlin", "site", ":a", " :a", "a:", "a: ", "a:\x08", "a:b:c"]),
    ("api-jobs", "created_after", ["", "-90s", "-1h", "-99999d", "-100000d", "-1y", "1h", "2026-11-23T21:04:05Z"]),
    ("api-jobs", "q", ["", "order", "a b", "-", "_", " ", "ä", "x" * 200, "x" * 201]),
    ("api-jobs", "limit", ["1", "100", "0", "101", "-1", "1.5"]),
    ("api-jobs", "format", ["json", "ndjson", "csv", "xml"]),
    ("api-jobs", "fields", ["", "id", "id,state", " id , state", "id,", ",", "Id", "data", "id,,state", "id state"]),
    ("api-workers", "label", ["", "site:berlin", "\x1f:a", "a\n:b", "a:b "]),
    ("api-workers", "state", ["connected", "lost"]),
    ("api-changes", "job", ["", "a", "a,b", "a,", ",a", "a,,b", "a, ,b", "a,\r\x08,b", " , "]),
    ("api-changes", "state", ["", "queued", "queued,failed", "queued,gone", "queued,"]),
    ("api-changes", "event", ["", "job", "workers.missed,job", "workersxmissed", "gap", "job,"]),
    ("api-changes", "after", ["", "oldest", "newest", "0123456789ab-7", "0123456789ab", "0123456789ab-", "z-1", "Z-1"]),
    ("api-changes", "after", [f"{'a' * 32}-{'1' * 15}", f"{'a' * 33}-1", f"a-{'1' * 16}"]),
    ("api-changes", "wait", ["0", "61", "-1", "1.5"]),
]  # fmt: skip


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("route", "name", "text"), [(route, name, text) for route, name, texts in CASES for text in texts]
)
async def test_the_schema_and_the_server_agree(ask: Ask, route: str, name: str, text: str) -> None:
    schema = query_field(route, name).schema
    value = float(text) if schema["type"] == "integer" else text
    response = await ask(f"{PATHS[route]}?{name}={quote(text)}")
    takes = Draft202012Validator(schema, format_checker=_formats).is_valid(value)
    assert (takes, response.code) in ((True, 200), (False, 400)), response.body
