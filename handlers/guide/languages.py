"""An example as a command of curl, and as a program in Python, JavaScript (ES5) and PowerShell (5.1). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from msgspec import Struct

from handlers.guide.examples import Example

__all__ = ["LANGUAGES", "Where", "curl", "javascript", "powershell", "python"]

#: The only example that is a stream.
_STREAM = "/api/v1/events"
#: A string of JSON, or one of its words.
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|true|false|null')
_OWN_WORDS = {"true": "True", "false": "False", "null": "None"}


class Where(Struct, frozen=True):
    """Where the server is, and what it asks for."""

    #: Without a slash at the end.
    url: str
    #: Whether it has a token.
    with_token: bool = False


def _headers(example: Example, where: Where) -> dict[str, str]:
    """All headers of the request."""
    told = {"Authorization": "Bearer TOKEN"} if where.with_token else {}
    if example.body:
        told["Content-Type"] = "application/json"
    return told | dict(example.headers)


def _is_stream(example: Example) -> bool:
    return example.target.startswith(_STREAM)


def curl(example: Example, where: Where) -> str:
    """For a shell of Linux or macOS."""
    lines = ["curl -sN" if _is_stream(example) else "curl -s"]
    if example.method != "GET" and not (example.method == "POST" and example.body):
        lines[0] += f" -X {example.method}"
    lines[0] += " " + _quoted(where.url + example.target)
    lines += [f"-H {_quoted(f'{name}: {value}')}" for name, value in _headers(example, where).items()]
    if example.body:
        lines.append(f"-d {_quoted(example.body)}")
    return " \\\n  ".join(lines)


def _quoted(text: str) -> str:
    """A text in which a shell changes nothing."""
    return "'" + text.replace("'", "'\\''") + "'"


def python(example: Example, where: Where) -> str:
    """With the project's client, where it has the call; else with the standard library alone."""
    if example.python:
        given = ", ".join([json.dumps(where.url), *(['token="TOKEN"'] if where.with_token else [])])
        return f"from pagehand import Client\n\nclient = Client({given})\n{example.python}"
    return _urllib(example, where)


def _urllib(example: Example, where: Where) -> str:
    given = [json.dumps(where.url + example.target)]
    if example.method != "GET":
        given.append(f'method="{example.method}"')
    if example.body:
        given.append(f"data=json.dumps({_as_python(example.body)}).encode()")
    if headers := _headers(example, where):
        given.append(f"headers={json.dumps(headers)}")
    modules = "import json\nimport urllib.request\n\n" if example.body else "import urllib.request\n\n"
    asked = given[0]
    if len(given) > 1:
        inner = ",\n    ".join(given)
        modules += f"request = urllib.request.Request(\n    {inner},\n)\n"
        asked = "request"
    show = "print(answer.read().decode())"
    if _is_stream(example):
        show = 'for line in answer:\n        print(line.decode(), end="")'
    return f"{modules}with urllib.request.urlopen({asked}) as answer:\n    {show}"


def _as_python(body: str) -> str:
    """JSON as Python writes it: a string is one there, too, but three words are others."""
    return _WORD.sub(lambda found: _OWN_WORDS.get(found[0], found[0]), body)


def javascript(example: Example, where: Where) -> str:
    """For every browser, IE 11 included: a page of this server, or one that may use the API."""
    url = json.dumps(where.url + example.target)
    if _is_stream(example):
        return (
            f"var source = new EventSource({url});\n"
            "source.addEventListener('job', function (event) {\n  console.log(JSON.parse(event.data));\n});"
        )
    lines = ["var request = new XMLHttpRequest();", f"request.open('{example.method}', {url});"]
    lines += [
        f"request.setRequestHeader('{name}', {json.dumps(value)});" for name, value in _headers(example, where).items()
    ]
    lines += ["request.onload = function () {", "  console.log(request.status, request.responseText);", "};"]
    lines.append(f"request.send(JSON.stringify({example.body}));" if example.body else "request.send();")
    return "\n".join(lines)


def powershell(example: Example, where: Where) -> str:
    """For Windows PowerShell 5.1 and PowerShell 7."""
    if _is_stream(example):
        return "# Invoke-RestMethod waits for the end of a stream. Read the changes page by page instead."
    headers = _headers(example, where)
    content_type = headers.pop("Content-Type", "")
    method = "" if example.method == "GET" else f" -Method {example.method.capitalize()}"
    given = [f"Invoke-RestMethod{method} -Uri {_single(where.url + example.target)}"]
    if headers:
        told = "; ".join(f"{_single(name)} = {_single(value)}" for name, value in headers.items())
        given.append(f"-Headers @{{ {told} }}")
    if content_type:
        given += [f"-ContentType {_single(content_type + '; charset=utf-8')}", f"-Body {_single(example.body)}"]
    return " `\n  ".join(given)


def _single(text: str) -> str:
    """A text in which PowerShell changes nothing."""
    return "'" + text.replace("'", "''") + "'"


#: The name of each language, and who writes it.
LANGUAGES: dict[str, Callable[[Example, Where], str]] = {
    "curl": curl,
    "Python": python,
    "JavaScript": javascript,
    "PowerShell": powershell,
}
