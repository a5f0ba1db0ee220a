"""``token``: makes, lists and revokes the tokens of a server."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ...client.answers import fields_of
from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit, UsageFault
from ..invocation import Invocation
from ..text import instant
from ..verb import Verb, add_common, seconds

__all__ = ["TOKEN"]

_EXAMPLE = """\
example:
  pagehand token create scanner --scope submit --scope read --type ocr --expires-s 90d
  pagehand token create berlin --scope worker --join --uses 30 --label site:berlin --expires-s 7d
"""


_COLUMNS = ("ID", "NAME", "WORKS", "SCOPES", "TYPES", "USES LEFT", "EXPIRES (UTC)", "LAST USED (UTC)")


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=type(parser))
    create = actions.add_parser("create", help="make one; it is shown this once", allow_abbrev=False)
    add = create.add_argument
    add("name", metavar="NAME", help="whose it is: the actor of what it does")
    add("--scope", action="append", required=True, help="submit, read, operate, admin or worker; may be repeated")
    add("--type", action="append", default=[], help="it is for jobs of this type alone; may be repeated")
    add("--label", action="append", default=[], metavar="LABEL:VALUE", help="a label of its pages; may be repeated")
    add("--join", action="store_true", help="pages join with it, and each gets a credential of its own")
    add("--uses", type=int, metavar="N", help="so many pages may join; 1 if it is not said")
    add("--jobs-per-minute", type=int, metavar="N", help="it submits no more new jobs than these")
    add("--expires-s", type=seconds, metavar="TIME", help="it opens nothing later")
    add_common(create)
    # A token whose answer was lost would be made once more.
    create.set_defaults(retry_for=0.0)
    add_common(actions.add_parser("list", help="list them, the newest first", allow_abbrev=False))
    revoke = actions.add_parser("revoke", help="end them at once", allow_abbrev=False)
    revoke.add_argument("ids", nargs="+", metavar="ID", help="a token's id; - reads ids from standard input")
    add_common(revoke)


def _token(call: Invocation) -> int:
    if call.options.what == "create":
        return _create(call)
    return _list(call) if call.options.what == "list" else call.each(lambda token_id: _revoke(call, token_id))


def _create(call: Invocation) -> CommandExit:
    options = call.options
    body: dict[str, Any] = {"name": options.name, "scopes": options.scope, "types": options.type}
    body |= {"expires_s": options.expires_s, "labels": _labels(options.label)}
    body["jobs_per_minute"] = options.jobs_per_minute
    if options.join:
        body["join"] = {"uses": 1 if options.uses is None else options.uses}
    elif options.uses is not None:
        raise UsageFault("--uses says how many pages may join: it needs --join")
    text = call.ask(HttpCall("POST", path_of("tokens"), json.dumps(body).encode()))
    made = fields_of(json.loads(text), "id", "token")
    if call.out.form == "json":
        call.out.json(text)
    else:
        call.out.line(made["id"] if call.out.form == "id" else _shown(call, made["token"]))
    what = "address" if options.join and call.out.form not in ("json", "id") else "token"
    call.out.tell(f"Nobody can show this {what} again. To end it: pagehand token revoke {made['id']}")
    return CommandExit.DONE


def _shown(call: Invocation, text: str) -> str:
    """A token, or the whole address of a page that joins with it."""
    return f"{call.client.url}/worker#join={text}" if call.options.join else text


def _labels(words: list[str]) -> dict[str, str]:
    """``site:berlin`` as a label and its value."""
    found: dict[str, str] = {}
    for word in words:
        label, _, value = word.partition(":")
        if not label or not value or label in found:
            raise UsageFault(f"--label {word}: write each label once, with its value, such as site:berlin")
        found[label] = value
    return found


def _list(call: Invocation) -> CommandExit:
    items = call.fields(HttpCall("GET", path_of("tokens")), "items")["items"]
    form = call.out.chosen("id")
    if form == "table":
        call.out.table(_COLUMNS, map(_row, items))
    for item in items if form != "table" else ():
        call.out.item(item) if form == "json" else call.out.line(item["id"])
    return CommandExit.DONE


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    works = "yes" if item["works"] else "no"
    scopes, types = ",".join(item["scopes"]), ",".join(item["types"]) or "all"
    join = item.get("join")
    left = f"{join['left']} of {join['uses']}" if join else ""
    ends, used = instant(item["expires_at"]), instant(item["last_used_at"])
    return item["id"], item["name"], works, scopes, types, left, ends, used


def _revoke(call: Invocation, token_id: str) -> CommandExit:
    text = call.ask(HttpCall("DELETE", path_of("tokens", token_id)))
    call.out.json(text) if call.out.form == "json" else call.out.line(token_id)
    return CommandExit.DONE


TOKEN = Verb("token", "make, list and revoke tokens", _arguments, _token, _EXAMPLE)
