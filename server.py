"""Runs Pagehand: ``python server.py``. Puts the parts together, serves, and stops in good order.

The composition root: it reads the settings, opens the store, makes dispatcher, transport and application, and knows
how the process starts and ends. It holds no rule about jobs and no route.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from tornado.netutil import bind_sockets
from tornado.web import Application

from dispatcher import __version__, ids
from dispatcher.clock import Clock, SystemClock
from dispatcher.config.addresses import without_password
from dispatcher.config.checks import is_loopback
from dispatcher.config.descriptors import descriptors
from dispatcher.config.logs import to_stderr
from dispatcher.config.settings import Settings, settings_fields
from dispatcher.config.sources import parse, settings_or_exit
from dispatcher.errors import SettingError, StorageAway, StorageTrouble, StoreRefused
from dispatcher.node.acts.notes import ServerNotes
from dispatcher.node.calm import Calm
from dispatcher.node.service import Dispatcher
from dispatcher.store.applier.hand import Ids
from dispatcher.store.opening import migrate_store, open_store
from dispatcher.store.port import Limits, Store
from dispatcher.transport.exchange import TRY_AGAIN_LATER
from dispatcher.transport.fronts import http as front_http
from dispatcher.transport.fronts.choice import make_server
from dispatcher.transport.fronts.server import EngineServer
from dispatcher.transport.limits import SessionLimits, session_cap
from handlers.prefix import Prefix
from handlers.routes import Guard, TaskDirectory, make_app, shipped_tasks
from handlers.starting import RETRY_AFTER_S, make_starting_app

log = logging.getLogger("pagehand")

#: Connections that may wait to be accepted: after a restart all pages come at once.
BACKLOG = 1_024

#: How long a storage failure may take from its notice to the end of the process (promise S23).
FAILURE_EXIT_S = 1.0


_FAULT = (
    "pagehand: ended by a fault of its own ({}): the jobs are safe in the store. "
    "If every start ends so, go back to the version that worked; see docs/operations.md"
)


_MIGRATE_HELP = """\
usage: pagehand migrate [flags]

Brings the store of a server that has stopped to this version's schema, as the
next start would, and ends. It first makes a copy beside the store. The flags
are those of `pagehand serve`; --store and --config are of use here.

example:
  pagehand migrate --store sqlite:///jobs.db"""


class Entrance:
    """The port and what answers there. It opens before the store is touched, so that probes get answers during a start.

    Until ``open`` every other request is told to come again. Then the same connections lead to the application.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.session_cap = session_cap(settings.sessions, descriptors())
        limits = SessionLimits.of(settings, sessions=self.session_cap)
        self.sessions = EngineServer(limits, node=settings.node).sessions
        self.front = front_http.Front(
            self.sessions,
            make_starting_app(Prefix(settings.public_path)),
            guard=_not_yet,
            allow_origin=settings.allow_origin,
            prefix=settings.public_path,
            clock=clock.monotonic,
        )
        self.http = make_server(self.front, settings)
        self.port = 0

    def listen(self) -> None:
        """Raises OSError if the port is taken."""
        sockets = bind_sockets(self.settings.port, self.settings.bind, backlog=BACKLOG)
        self.port = sockets[0].getsockname()[1]
        self.http.add_sockets(sockets)

    async def close(self) -> None:
        """Hangs up on everybody: there will be no server. A request without an answer comes again."""
        self.http.stop()
        await self.http.close_all_connections()

    def open(self, dispatcher: Dispatcher, app: Application, guard: Guard) -> None:
        """Lets everybody in."""
        self.front.open(
            app,
            dispatcher.pages,
            guard=_transport_guard(guard),
            on_change=dispatcher.changed,
            on_refusal=lambda code, detail, remote: guard.log.note(code, detail, path="?", remote=remote),
        )


class Server:
    """One running server: made by ``open_server``, ended by ``stop``."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, entrance: Entrance) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.failed = asyncio.Event()
        self.calm = Calm()
        self.tasks = TaskDirectory(settings.tasks or shipped_tasks(), settings.host_call, clock)
        self.dispatcher = Dispatcher(
            store=store,
            settings=settings,
            clock=clock,
            rng=random.Random(),
            new_worker_id=ids.new_worker_id,
            files=self.tasks,
            failed=self._fail,
            now_and_then=self._now_and_then,
        )
        self.notes = ServerNotes(
            self.dispatcher.access, node=store.node, version=__version__, offered=self.tasks.versions
        )
        self.guard = Guard(settings, clock, self.dispatcher.access.find, self.dispatcher.pages.gate.guesses)
        self.entrance = entrance
        self.port = entrance.port
        self.sessions, self.front, self.http = entrance.sessions, entrance.front, entrance.http
        self.dispatcher.attach(self.sessions)

    def _fail(self, error: StorageTrouble) -> None:
        self.failed.set()

    def _now_and_then(self) -> None:
        self.calm.look(len(self.sessions))
        self.notes.look()

    async def start(self) -> None:
        """Takes over what an earlier run left; once that is durable, lets everybody in."""
        await self.dispatcher.start()
        if self.failed.is_set():
            return
        await self.notes.begin()
        app = make_app(self.dispatcher, self.settings, self.tasks, self.clock, self.guard)
        self.tasks.tasks()  # the log names the files that do not work
        self.entrance.open(self.dispatcher, app, self.guard)
        self.dispatcher.let_in()
        self.calm.begin()

    def renew(self, wanted: Settings) -> None:
        """Takes the token from newly read settings; everything else in them waits for the next start."""
        changed = wanted.token != self.settings.token
        self.settings = dataclasses.replace(self.settings, token=wanted.token)
        self.guard.renew(wanted.token)
        self.dispatcher.pages.gate.token = wanted.token
        if changed:
            self.dispatcher.access.own_token_changed()
        later = [
            item.name for item in settings_fields() if getattr(wanted, item.name) != getattr(self.settings, item.name)
        ]
        log.info(
            "SIGHUP: settings read again; the token is %s%s", "another one" if changed else "the same",
            f"; from the next start on: {', '.join(later)}" if later else "", extra={"action": "renew"},
        )  # fmt: skip

    async def drain(self) -> None:
        """No new jobs and no offers; lets running jobs end, for ``drain_s`` at most."""
        self.dispatcher.begin_drain()
        self.notes.end()
        deadline = self.clock.monotonic() + self.settings.drain_s
        while self.dispatcher.busy() and self.clock.monotonic() < deadline and not self.failed.is_set():
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Makes everything that has arrived durable, then closes everything."""
        self.http.stop()
        await self.dispatcher.close()
        self.front.stopping = True
        await self.http.close_all_connections()

    def banner(self) -> str:
        """What a person wants to know at the start."""
        settings = self.settings
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(settings.bind, settings.bind)  # noqa: S104
        listens = f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{self.port}"
        address = settings.public_url.rstrip("/") or listens
        new = " (made just now)" if self.store.created else ""
        lines = [
            f"Pagehand {__version__}",
            f"  submit a job   {address}/submit",
            f"  worker page    {address}/worker",
            f"  overview       {address}/",
            *([f"  listens on     {listens}/"] if settings.public_url else []),
            f"  jobs are kept  {self.store.location}{new}",
            *([f"  node           {self.store.node}"] if self.store.beat_s is not None else []),
            f"  tasks          {settings.tasks or shipped_tasks()}",
            f"  at most        {self.entrance.session_cap} connected pages",
            f"  reachable from {_exposure(settings)}",
        ]
        return "\n".join(lines)


def _exposure(settings: Settings) -> str:
    if is_loopback(settings.bind) and not settings.public_url:
        return "this machine only (--bind, --token)"
    return "other machines, with the token" if settings.token else "other machines, WITHOUT a token (--insecure)"


def _not_yet(headers: front_http.HeadersLike, method: str, remote: str) -> front_http.Denial:
    return front_http.Denial(
        "The server is starting, try again in a moment", 503, TRY_AGAIN_LATER, retry_after_s=RETRY_AFTER_S
    )


def _transport_guard(guard: Guard) -> front_http.Admit:
    def admit(headers: front_http.HeadersLike, method: str, remote: str) -> front_http.Denial | None:
        refusal = guard.admit(headers, method, joining=True)
        if refusal is None:
            return None
        guard.log.note(refusal.code, refusal.detail, path=front_http.PATH, remote=remote)
        return front_http.Denial(refusal.detail, refusal.status)

    return admit


def store_limits(settings: Settings) -> Limits:
    """The settings that a store obeys. Each limit has a setting."""
    return Limits(
        queue_depth=settings.queue_depth,
        queue_bytes=settings.queue_bytes,
        most_types=settings.most_types,
        low_disk_bytes=settings.low_disk,
        retention_s=settings.retention_s,
        worker_retention_s=settings.worker_retention_s,
        audit_retention_s=settings.audit_retention_s,
        audit_kept=settings.audit_kept,
        webhook_backlog=settings.webhook_backlog,
        late_accept=settings.late_accept,
        search=settings.search,
        backup_dir=settings.backup_dir,
        backups_kept=settings.backups_kept,
    )


def _ids(clock: Clock) -> Ids:
    return Ids(lambda: ids.new_job_id(clock), ids.new_attempt_id, lambda: ids.new_message_id(clock))


async def open_server(settings: Settings, clock: Clock, entrance: Entrance) -> Server:
    """Opens the store and makes the server; ``start`` it. Raises StoreRefused."""
    store = await open_store(
        settings.store, limits=store_limits(settings), ids=_ids(clock), new_key=ids.new_key, node=settings.node,
        utc=clock.utc,
    )  # fmt: skip
    return Server(settings, store, clock, entrance)


async def run(settings: Settings, read_again: Callable[[], Settings]) -> int:
    """Serves until a signal or a storage failure; returns the exit status. ``read_again`` is for SIGHUP."""
    stop, clock = _catch_signals(), SystemClock()
    entrance = Entrance(settings, clock)
    try:
        entrance.listen()
    except OSError as error:
        where = f"{settings.bind}:{settings.port}"
        print(f"pagehand: cannot listen on {where} ({error}): choose another --port or --bind", file=sys.stderr)
        return 4
    try:
        server = await open_server(settings, clock, entrance)
        await server.start()
    except (StoreRefused, StorageAway) as error:
        again = ": start this server again" if isinstance(error, StorageAway) else ""
        print(f"pagehand: {error}{again}", file=sys.stderr)
        await entrance.close()
        return 3
    _listen_to_hangups(server, read_again, stop)
    print(server.banner(), flush=True)
    await _first(stop, server.failed)
    if server.failed.is_set():
        return await _give_up(server)
    log.info("stopping; a second signal stops at once", extra={"action": "drain"})
    await server.drain()
    return await _stop(server)


async def _stop(server: Server) -> int:
    """Stops in good order. If the store has failed meanwhile, it is not touched, not even closed."""
    if not server.failed.is_set():
        try:
            await server.stop()
            return 1 if server.failed.is_set() else 0
        except StorageTrouble as error:
            log.error("%s", error, extra={"action": "store_failed"})
    return await _give_up(server)


async def _give_up(server: Server) -> int:
    """The store has failed: gives the answers time to go out, and ends. The next start recovers."""
    log.error("the store has failed: the server ends, start it again", extra={"action": "exit"})
    await asyncio.sleep(FAILURE_EXIT_S)
    os._exit(1)


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def _catch_signals() -> asyncio.Event:
    """The first SIGTERM or SIGINT asks for a stop, the second ends the process at once (which is safe, S21)."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def caught(number: int, frame: object) -> None:
        if stop.is_set():
            os._exit(1)
        loop.call_soon_threadsafe(stop.set)

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), caught)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is a server that can read its settings again
    return stop


def _listen_to_hangups(server: Server, read_again: Callable[[], Settings], stop: asyncio.Event) -> None:
    """SIGHUP reads the settings again, for another token; or it says that the server's terminal was closed."""
    terminal = os.isatty(0)

    def hear() -> None:
        if terminal and not os.isatty(0):
            stop.set()
            return
        try:
            server.renew(read_again())
        except SettingError as error:
            log.warning("SIGHUP: nothing is changed, because of %s", error, extra={"action": "renew"})

    if hasattr(signal, "SIGHUP"):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hear)


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """The program: returns its exit status (0 done, 1 storage failure, 2 settings, 3 store, 4 address, 5 a fault)."""
    settings = settings_or_exit(argv, environ)
    handler = to_stderr(settings.log_format)
    argv, environ = sys.argv[1:] if argv is None else argv, os.environ if environ is None else environ
    try:
        return asyncio.run(run(settings, lambda: parse(argv, environ).settings))
    except Exception as error:
        log.exception("a fault of the server itself", extra={"action": "exit"})
        handler.close()  # so that the log's lines stand before this last one
        print(_FAULT.format(f"{type(error).__name__}: {error}"), file=sys.stderr)
        return 5
    finally:
        handler.close()


def migrate(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """``pagehand migrate``: brings the store to this version's schema and ends, with 0 or 3. It opens no port."""
    if {"-h", "--help"} & set(sys.argv[1:] if argv is None else argv):
        print(_MIGRATE_HELP)
        return 0
    settings = settings_or_exit(argv, environ)
    handler = to_stderr(settings.log_format)
    try:
        was, now = asyncio.run(migrate_store(settings.store, limits=store_limits(settings), ids=_ids(SystemClock())))
    except StoreRefused as error:
        print(f"pagehand: {error}", file=sys.stderr)
        return 3
    finally:
        handler.close()
    print(f"{without_password(settings.store)}: schema {now}" + (f", was {was}" if was != now else ", as before"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
