"""Runs the worker page's script in QuickJS on a fake window, with Python as the server. No browser, no waiting.

What IE 11 lacks is deleted from the engine first, so a use of it fails here as it would there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import quickjs

from handlers.worker.script import join
from tests.support.places import ROOT

STATIC = ROOT / "static"
HERE = Path(__file__).resolve().parent
SEPARATOR = "\x1e"
HANDSHAKE = {"sid": "s1", "upgrades": [], "pingInterval": 20_000, "pingTimeout": 20_000, "maxPayload": 1_114_112}
REGISTERED = {"op": "registered", "worker": "w1", "secret": "x1", "name": "DESK", "settings": {}}

Message = dict[str, Any]

#: Deletes members such as ``Array.find``, from the constructor and from its prototype. What RegExp has more than
#: in ES5 stays: the engine's own ``replace`` and ``match`` go through it.
_TAKE_AWAY = """function (members) {
  var all = this;
  members.forEach(function (path) {
    var at = path.replace('_static', '').split('.');
    var owner = all[at[0]];
    if (at.length === 2 && owner && path !== 'Function.name' && at[0] !== 'RegExp') {
      delete owner[at[1]];
      if (owner.prototype) { delete owner.prototype[at[1]]; }
    }
  });
}"""
#: What the engine brings that is no part of the language, and what IE 11 has only half.
_HOST_GLOBALS = ("fetch", "Map", "Set", "WeakMap", "queueMicrotask", "structuredClone", "performance", "console")


def bare_engine() -> quickjs.Context:
    """An engine without what IE 11 lacks."""
    missing = json.loads((HERE / "ie11" / "missing.json").read_text(encoding="utf-8"))["js"]
    context = quickjs.Context()
    context.set_time_limit(30)
    context.eval(f"({_TAKE_AWAY})({json.dumps(missing['static_or_proto_members'])});")
    for name in [*_HOST_GLOBALS, *missing["globals"]]:
        context.eval(f"delete this.{name}")
    return context


def speak(js: quickjs.Context, language: str = "en") -> None:
    """The catalogue of the page's texts, and a window that asks for this language."""
    js.eval(f"var window = this; window.location = {{search: '?lang={language}'}};")
    js.eval("window.navigator = {language: 'fr'}; window.document = {documentElement: {}};")
    for name in ("words.js", "language.js"):
        js.eval((STATIC / name).read_text(encoding="utf-8"))


class Page:
    """One window with the script in it. ``load`` is a page load; the storages keep their contents."""

    def __init__(self, *, tasks: str = "", options: Message | None = None, **config: Any) -> None:
        self.js = bare_engine()
        self.js.eval((HERE / "fake_window.js").read_text(encoding="utf-8"))
        self._source = join()
        self.tasks = tasks or "Pagehand.task('echo', function (job) { return job.data; }, {quick: true});"
        self.options = options or {}
        self.config = config

    # ---- the page's life

    def load(self) -> Page:
        """A page load: new memory, the same storages. The worker starts."""
        self.js.eval("fakeWindow.unload(); var worker = null;")
        self.js.eval(self._source)
        self.js.eval(self.tasks)
        self.js.eval(
            f"var options = {json.dumps(self.options)}; options.env = fakeWindow.env({json.dumps(self.config)});"
            "worker = Pagehand.start(options); null;"
        )
        return self

    def run(self, source: str) -> Any:
        """Evaluate and give back plain values."""
        text = self.js.eval(f"JSON.stringify((function () {{ {source} }}()))")
        return None if text is None else json.loads(text)

    def advance(self, ms: float) -> None:
        self.js.eval(f"fakeWindow.advance({ms}); null;")

    def fire(self, event: str, detail: Message | None = None) -> None:
        self.js.eval(f"fakeWindow.fire({json.dumps(event)}, {json.dumps(detail or {})}); null;")

    def status(self) -> Message:
        return dict(self.run("return worker.status();"))

    @property
    def state(self) -> str:
        return str(self.status()["state"])

    @property
    def error(self) -> str | None:
        """The code of the last error."""
        error = self.status()["error"]
        return error["code"] if error else None

    def world(self) -> Message:
        return dict(json.loads(self.js.eval("fakeWindow.world()")))

    # ---- the network

    def requests(self, method: str) -> list[Message]:
        return [item for item in json.loads(self.js.eval("fakeWindow.requests()")) if item["method"] == method]

    @property
    def poll(self) -> Message:
        """The waiting GET."""
        (poll,) = self.requests("GET")
        return dict(poll)

    @property
    def post(self) -> Message:
        """The waiting POST."""
        (post,) = self.requests("POST")
        return dict(post)

    def answer(
        self, request: Message, status: int, body: str, type_: str = "text/plain; charset=UTF-8", throws: bool = False
    ) -> None:
        arguments = ",".join(json.dumps(item) for item in (request["id"], status, body, type_, throws))
        self.js.eval(f"fakeWindow.answer({arguments}); null;")

    def push_packets(self, *packets: str) -> None:
        """Answer the poll."""
        self.answer(self.poll, 200, SEPARATOR.join(packets))

    def push(self, *messages: Message) -> None:
        self.push_packets(*("4" + json.dumps(message) for message in messages))

    def packets(self) -> list[str]:
        """The packets of the waiting POST."""
        return str(self.post["body"]).split(SEPARATOR)

    def take(self) -> list[Message]:
        """Answer the waiting POST with ok; return its messages."""
        packets = self.packets()
        self.answer(self.post, 200, "ok")
        return [json.loads(packet[1:]) for packet in packets if packet[0] == "4"]

    def take_all(self) -> list[Message]:
        """Do the same until no POST waits."""
        messages: list[Message] = []
        while self.requests("POST"):
            messages += self.take()
        return messages

    # ---- its WebSockets

    def sockets(self) -> list[Message]:
        """All that this page load has made."""
        return list(json.loads(self.js.eval("fakeWindow.sockets()")))

    @property
    def socket(self) -> Message:
        """The newest one."""
        return dict(self.sockets()[-1])

    def socket_does(self, what: str, value: object = None, words: str = "") -> None:
        """What its browser or the server does to the newest one: open, frame, closing, drain, close."""
        arguments = ",".join(json.dumps(item) for item in (self.socket["id"], what, value, words))
        self.js.eval(f"fakeWindow.socketDo({arguments}); null;")

    def frame(self, *packets: str) -> None:
        for packet in packets:
            self.socket_does("frame", packet)

    def tell(self, *messages: Message) -> None:
        """Messages over the socket."""
        self.frame(*("4" + json.dumps(message) for message in messages))

    # ---- shortcuts

    def open(self, **facts: Any) -> Message:
        """Answer the handshake and the POST of `register`; return the `register`."""
        self.push_packets("0" + json.dumps({**HANDSHAKE, **facts}))
        (register,) = self.take()
        assert register["op"] == "register"
        return register

    def join(self, **settings: int) -> Message:
        """Handshake, register, registered."""
        register = self.open()
        self.push({**REGISTERED, "settings": settings})
        return register

    def reconnect(self) -> Message:
        """Lose the session and come back with another; return its `register`."""
        self.answer(self.poll, 0, "")
        self.advance(2_000)
        register = self.open(sid="s2")
        self.push(REGISTERED)
        return register


def job(attempt: str = "a1", type_: str = "echo", data: Any = None, **fields: Any) -> Message:
    """An offer."""
    return {
        "op": "job",
        "attempt": attempt,
        "id": f"job-{attempt}",
        "type": type_,
        "data": data,
        "number": 1,
        "timeout_ms": 60_000,
        "confirm": False,
        **fields,
    }


def joined(tasks: str = "", options: Message | None = None, **config: Any) -> Page:
    """A page that is registered."""
    page = Page(tasks=tasks, options=options, **config).load()
    page.join()
    return page


def ops(messages: list[Message]) -> list[str]:
    return [str(message["op"]) for message in messages]
