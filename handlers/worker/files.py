"""Serves files as they are (the worker page, ``/static``, ``/tasks``) and the probes, without a token: no secrets."""

from __future__ import annotations

from typing import ClassVar

from tornado.web import HTTPError, StaticFileHandler, stream_request_body

from handlers.base import BaseHandler, as_json
from handlers.site import STATIC, Site
from handlers.worker.script import Script

__all__ = [
    "LiveHandler",
    "ReadyHandler",
    "ScriptHandler",
    "SharedHandler",
    "StaticHandler",
    "TaskHandler",
    "TaskIndexHandler",
    "WorkerPageHandler",
]


#: Besides ``text/``.
_TEXTS = ("application/javascript", "application/json")


class SharedHandler(BaseHandler):
    """Serves files that pages of ``allow_origin`` may load too."""

    public = True

    def set_default_headers(self) -> None:
        """Makes browsers ask each time; they get 304 while nothing has changed."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-cache")

    def check(self) -> None:
        """Lets the pages of ``allow_origin`` read the answer."""
        super().check()
        self.set_header("Vary", "Origin")
        origin = self.site.guard.cors_origin(self.request.headers)
        if origin is not None:
            self.set_header("Access-Control-Allow-Origin", origin)


def _allow_frames_of_others(handler: BaseHandler) -> None:
    """Lets the pages of ``allow_origin`` show the worker page in a frame."""
    # "null" has no name here, and a scheme alone is written without its slashes.
    origins = [origin.removesuffix("//") for origin in handler.site.settings.allow_origin if origin != "null"]
    handler.allow_frames(" ".join(("'self'", *origins)))
    if not origins:
        handler.set_header("X-Frame-Options", "SAMEORIGIN")
    elif len(origins) == 1:
        # For IE, which does not know frame-ancestors; other browsers ignore it.
        handler.set_header("X-Frame-Options", f"ALLOW-FROM {origins[0]}")


class WorkerPageHandler(SharedHandler):
    """``/worker``: the page that does the work."""

    def get(self) -> None:
        """The page; its address says what it must do."""
        path = STATIC / "worker.html"
        if not path.is_file():
            raise HTTPError(404)
        _allow_frames_of_others(self)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(path.read_bytes())

    head = get


class ScriptHandler(SharedHandler):
    """``/static/worker.js``: the parts of the worker page's script as one file."""

    def initialize(self, site: Site, script: Script) -> None:  # type: ignore[override]
        """Called by Tornado with what the route says."""
        super().initialize(site)
        self._script = script

    def compute_etag(self) -> str:
        """The tag of the script's content; it is not computed anew for each page."""
        return self._script.etag

    def get(self) -> None:
        """The script as it was when the server started."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.finish(self._script.body)

    head = get


@stream_request_body
class StaticHandler(SharedHandler, StaticFileHandler):
    """``/static/``: the files of the directory ``static``, with Tornado's checks of the path."""

    #: Files that pages load by name, without a version.
    _ALWAYS_FRESH: ClassVar = frozenset(
        {
            "address.js",
            "language.js",
            "page.js",
            "page-words.js",
            "question.js",
            "spoken.js",
            "task-files.js",
            "test-lines.js",
            "test-words.js",
            "words.js",
            "worker.html",
        }
    )

    def initialize(self, site: Site, path: str) -> None:  # type: ignore[override]
        """Called by Tornado with what the route says."""
        SharedHandler.initialize(self, site)
        StaticFileHandler.initialize(self, path)

    def set_extra_headers(self, path: str) -> None:
        """Called after Tornado has set its own."""
        if path in self._ALWAYS_FRESH or not self.get_query_argument("v", ""):
            self.set_header("Cache-Control", "no-cache")
        if path.endswith(".html"):
            _allow_frames_of_others(self)

    def get_content_type(self) -> str:
        """The type with the charset, so that no browser guesses."""
        kind = super().get_content_type()
        return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind in _TEXTS else kind


class TaskIndexHandler(SharedHandler):
    """``/tasks/index.json``."""

    def get(self) -> None:
        """The tasks and what their files say about them."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(as_json(self.site.tasks.index()))

    head = get


class TaskHandler(SharedHandler):
    """``/tasks/<name>.js``."""

    def get(self, name: str) -> None:
        """The task's file as it is."""
        source = self.site.tasks.source(name)
        if source is None:
            raise HTTPError(404)
        self.set_header("Content-Type", "application/javascript; charset=utf-8")
        self.finish(source)

    head = get


class LiveHandler(BaseHandler):
    """``/livez``: the process answers."""

    public = True
    guarded = False

    def get(self) -> None:
        """Always 200."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("ok\n")

    head = get


class ReadyHandler(BaseHandler):
    """``/readyz``: it takes jobs."""

    public = True
    guarded = False
    query_fields = ("verbose",)

    def get(self) -> None:
        """200, or 503 while it starts, stops or cannot write."""
        service = self.site.service
        ready, draining, space = service.ready(), service.draining, service.has_space
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if not ready:
            self.set_status(503)
            self.set_header("Retry-After", "5")
        if self.get_query_argument("verbose", None) is not None:
            self.write(f"[{'-' if draining else '+'}]not draining\n[{'+' if ready else '-'}]takes jobs\n")
            self.write(f"[{'+' if space else '-'}]room on the store's disk\n")
        self.finish("ok\n" if ready else "not ready\n" if space else "not ready: the store's disk is nearly full\n")

    head = get
