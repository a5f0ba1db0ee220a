"""``webhook``: who is told of changes; what was sent to them, and what is sent again."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...client.answers import error_of, fields_of
from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit, UsageFault
from ..invocation import Invocation
from ..text import instant
from ..verb import Verb, add_common

__all__ = ["WEBHOOK"]

_EXAMPLE = """\
examples:
  pagehand webhook add https://shop.example/pagehand --event job.succeeded --event job.failed --name "the shop"
  pagehand webhook deliveries ID --failed
  pagehand webhook redeliver ID --dead
"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=type(parser))

    def action(name: str, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = actions.add_parser(name, help=text, allow_abbrev=False)
        add_common(made)
        return made

    action("list", "list them, the newest first")
    add = action("add", "make one; its secret is shown this once")
    add.add_argument("address", metavar="URL", help="where messages go")
    _add_fields(add)
    # One whose answer was lost would be made once more.
    add.set_defaults(retry_for=0.0)
    for name, text in (("show", "show one"), ("rotate", "give it a new secret; the old one signs beside it for a day"),
                       ("resume", "switch it on"), ("test", "send it a ping")):  # fmt: skip
        action(name, text).add_argument("id", metavar="ID", help="a webhook's id")
    action("pause", "switch it off: nothing is written for it").add_argument("id", metavar="ID", help="a webhook's id")
    change = action("set", "change it; what is not named stays")
    change.add_argument("id", metavar="ID", help="a webhook's id")
    change.add_argument("--address", metavar="URL", help="where messages go")
    _add_fields(change)
    removed = action("rm", "delete them with their messages")
    removed.add_argument("ids", nargs="+", metavar="ID", help="a webhook's id; - reads ids from standard input")
    _add_sent(action)


def _add_fields(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--event", action="append", metavar="NAME", help="what a job must have become: job.failed; may be repeated")
    add("--type", action="append", metavar="TYPE", help="it is told of jobs of this type alone; may be repeated")
    add("--name", metavar="TEXT", help="what it is for, for people")


def _add_sent(action: Callable[[str, str], argparse.ArgumentParser]) -> None:
    deliveries = action("deliveries", "what became of the attempts, the newest first")
    deliveries.add_argument("id", metavar="ID", help="a webhook's id, or callbacks")
    deliveries.add_argument("--failed", action="store_true", help="leave out those that were delivered")
    action("dead", "the messages that are sent no more").add_argument("id", metavar="ID", help="a webhook's id")
    again = action("redeliver", "send messages at once that wait or are dead")
    again.add_argument("id", metavar="ID", help="a webhook's id, or callbacks")
    again.add_argument("messages", nargs="*", metavar="MESSAGE", help="their ids, at most 100")
    again.add_argument("--dead", action="store_true", help="all that are dead")


def _webhook(call: Invocation) -> int:
    what = call.options.what
    if what == "rm":
        return call.each(lambda webhook: _removed(call, webhook))
    return _ACTIONS[what](call)


def _list(call: Invocation) -> CommandExit:
    heads = ("ID", "NAME", "WORKS", "WAITING", "DEAD", "URL", "EVENTS", "TYPES")
    return _listed(call, call.fields(HttpCall("GET", path_of("webhooks")), "items")["items"], heads, _row)


def _listed(
    call: Invocation, items: Iterable[dict[str, Any]], heads: tuple[str, ...], row: Callable[..., tuple[object, ...]]
) -> CommandExit:
    form = call.out.chosen("id")
    if form == "table":
        call.out.table(heads, map(row, items))
    for item in items if form != "table" else ():
        call.out.item(item) if form == "json" else call.out.line(item["id"])
    return CommandExit.DONE


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    works = "yes" if item["enabled"] else "no"
    events, types = ",".join(item["events"]), ",".join(item["types"]) or "all"
    return item["id"], item["name"], works, item["pending"], item["dead"], item["url"], events, types


def _fields(call: Invocation) -> dict[str, object]:
    options = call.options
    given = {"url": options.address, "events": options.event, "types": options.type, "name": options.name}
    return {name: value for name, value in given.items() if value is not None}


def _add(call: Invocation) -> CommandExit:
    return _with_secret(call, HttpCall("POST", path_of("webhooks"), _json(_fields(call))))


def _rotate(call: Invocation) -> CommandExit:
    return _with_secret(call, HttpCall("POST", path_of("webhooks", call.one_id(), "rotate"), b"{}"))


def _with_secret(call: Invocation, asked: HttpCall) -> CommandExit:
    """Prints the secret, which is the one thing that cannot be had later."""
    text = call.ask(asked)
    made = fields_of(json.loads(text), "id", "secret")
    if call.out.form == "json":
        call.out.json(text)
    else:
        call.out.line(made["id"] if call.out.form == "id" else made["secret"])
    call.out.tell(f"The webhook {made['id']}: nobody can show this secret again. To try it: pagehand webhook test "
                  f"{made['id']}")  # fmt: skip
    return CommandExit.DONE


def _show(call: Invocation) -> CommandExit:
    return _shown(call, HttpCall("GET", path_of("webhooks", call.one_id())))


def _set(call: Invocation) -> CommandExit:
    fields = _fields(call)
    if not fields:
        raise UsageFault("webhook set needs one or more of --address, --event, --type and --name")
    return _changed(call, fields)


def _changed(call: Invocation, fields: dict[str, object]) -> CommandExit:
    return _shown(call, HttpCall("PATCH", path_of("webhooks", call.one_id()), _json(fields)))


def _shown(call: Invocation, asked: HttpCall) -> CommandExit:
    text = call.ask(asked)
    fields = fields_of(json.loads(text), "id", "enabled", "pending", "dead")
    form = call.out.chosen("json")
    if form == "table":
        call.out.pairs([(name, value) for name, value in fields.items() if name != "links"])
    else:
        call.out.json(text) if form == "json" else call.out.line(fields["id"])
    return CommandExit.DONE


def _test(call: Invocation) -> CommandExit:
    webhook = call.one_id()
    text = call.ask(HttpCall("POST", path_of("webhooks", webhook, "test"), b"{}"))
    message = fields_of(json.loads(text), "id")["id"]
    call.out.json(text) if call.out.form == "json" else call.out.line(message)
    call.out.tell(f"What became of it: pagehand webhook deliveries {webhook}")
    return CommandExit.DONE


def _pages(call: Invocation, part: str, **query: object) -> Iterator[dict[str, Any]]:
    """All items, page by page."""
    cursor: str | None = None
    while True:
        path = path_of("webhooks", call.one_id(), part, cursor=cursor, **query)
        page = call.fields(HttpCall("GET", path), "items", "next_cursor")
        yield from page["items"]
        if (cursor := page["next_cursor"]) is None:
            return


def _deliveries(call: Invocation) -> CommandExit:
    heads = ("ID", "EVENT", "JOB", "ATTEMPT", "AT (UTC)", "MS", "STATUS", "OUTCOME", "ERROR")
    failed = 1 if call.options.failed else None
    return _listed(call, _pages(call, "deliveries", failed=failed), heads, _delivery_row)


def _delivery_row(item: dict[str, Any]) -> tuple[object, ...]:
    at, status = instant(item["at"]), item["status"] or "-"
    about = item["id"], item["event"], item["job"] or "-", item["attempt"]
    return (*about, at, item["ms"], status, item["outcome"], item["error"] or "")


def _dead(call: Invocation) -> CommandExit:
    heads = ("ID", "EVENT", "JOB", "ATTEMPTS", "AT (UTC)")
    return _listed(call, _pages(call, "dead"), heads, _dead_row)


def _dead_row(item: dict[str, Any]) -> tuple[object, ...]:
    return item["id"], item["event"], item["job"] or "-", item["attempts"], instant(item["at"])


def _redeliver(call: Invocation) -> CommandExit:
    options = call.options
    if bool(options.messages) is options.dead:
        raise UsageFault("webhook redeliver needs the ids of messages, or --dead for all that are dead")
    webhook = call.one_id()
    body = {"dead": True} if options.dead else {"ids": options.messages}
    text = call.ask(HttpCall("POST", path_of("webhooks", webhook, "redeliver"), _json(body)))
    fields_of(json.loads(text), "links")
    if call.out.form == "json":
        call.out.json(text)
    else:
        for message in options.messages or [webhook]:
            call.out.line(message)
    call.out.tell(f"What became of them: pagehand webhook deliveries {webhook}")
    return CommandExit.DONE


def _removed(call: Invocation, webhook: str) -> CommandExit:
    asked = HttpCall("DELETE", path_of("webhooks", webhook))
    answer = call.client._do(call.client._plans.ask(asked))
    if answer.status != 204:
        raise error_of(answer, asked.key)
    call.out.item({"id": webhook}) if call.out.form == "json" else call.out.line(webhook)
    return CommandExit.DONE


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


_ACTIONS: dict[str, Callable[[Invocation], CommandExit]] = {
    "list": _list,
    "add": _add,
    "show": _show,
    "set": _set,
    "rotate": _rotate,
    "pause": lambda call: _changed(call, {"enabled": False}),
    "resume": lambda call: _changed(call, {"enabled": True}),
    "test": _test,
    "deliveries": _deliveries,
    "dead": _dead,
    "redeliver": _redeliver,
}
WEBHOOK = Verb("webhook", "tell programs of changes: make, watch and remove webhooks", _arguments, _webhook, _EXAMPLE)
