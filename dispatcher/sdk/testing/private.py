"""The server's modules under names of their own: an application may have a ``server.py`` or ``handlers`` itself.

The server says ``from handlers.routes import …``, because it is a program. Here it is a guest in the process of another
program. So its modules are loaded as ``pagehand._app.handlers.routes`` and the like, and what they import of the server
is found there too.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["lacking", "load"]

#: The package that holds this one: ``pagehand``, or what it is in a checkout.
_PACKAGE = __name__.rpartition(".testing.")[0]
_APP = f"{_PACKAGE}._app"
_TOPS = ("dispatcher", "handlers", "server")


def load(name: str) -> Any:
    """A module of the server. Raises ImportError, which says what to install, where a package of the server lacks."""
    if _APP not in sys.modules:
        _open()
    try:
        return importlib.import_module(f"{_APP}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(_PACKAGE):
            raise
        raise lacking(error) from error


def lacking(error: ImportError) -> ImportError:
    """Says what to install, where a package of the server or of the pages lacks."""
    package = (error.name or "a package").partition(".")[0]
    words = f"pagehand.testing runs a server and pages, and that needs {package}: pip install 'pagehand[testing]'"
    return ImportError(words, name=error.name)


def _open() -> None:
    package = ModuleType(_APP)
    package.__path__ = [str(_home())]
    sys.modules[_APP] = package
    sys.meta_path.insert(0, _PrivateFinder())


def _home() -> Path:
    """Where the server lies: in a checkout beside ``dispatcher``, installed in ``pagehand/_app``."""
    sdk = Path(__file__).resolve().parent.parent
    installed = sdk / "_app"
    return installed if installed.is_dir() else sdk.parent.parent


class _PrivateFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{_APP}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _PrivateLoader(fullname, spec.loader.path)
        return spec


class _PrivateLoader(SourceFileLoader):
    """Gives a module an ``import`` of its own. Its functions keep that, so that late imports find the same."""

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import}
        super().exec_module(module)


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    top = name.partition(".")[0]
    if level or top not in _TOPS:
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    found = builtins.__import__(f"{_APP}.{name}", globals, locals, fromlist or (), 0)
    return found if fromlist else sys.modules[f"{_APP}.{top}"]
