"""A bug finds its place by what the code does: layout, comments and other functions may change."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.planted import edit_python, edit_script
from tests.planted.bug import ROOT
from tests.planted.misfit import Misfit

PYTHON = """
class Counter:
    def add(self, item):
        # Counted before it is put away.
        self.count += 1
        if item in self.items:
            return None
        return self.put(
            item, self.count
        )

    def take(self):
        self.count += 1
"""

SCRIPT = """
  Worker.prototype._add = function (item) {
    if (item /* whole */ && this._open) {  // '}' is no end
      this._items.push('}', item);
    }
  };
  Worker.prototype._take = function () { this._items.push('}', 1); };
"""


@pytest.mark.parametrize(
    ("old", "new", "there"),
    [
        ("self.count += 1", "self.count -= 1", "self.count -= 1\n        if item"),
        ("item in self.items", "True", "if True:\n            return None"),
        ("if item in self.items: _", "", "self.count += 1\n        pass\n        return"),
        ("self.put(item, _)", "item", "return item"),
        ("self.count += 1\nif _: _", "pass", "pass\n        return self.put(item, self.count)"),
        (None, "return 1", "def add(self, item):\n        return 1\n"),
    ],
)
def test_of_one_function_what_fits_is_changed(old: str | None, new: str, there: str) -> None:
    changed = edit_python.edited(PYTHON, "Counter.add", old, new)
    assert there in changed
    assert changed.endswith("def take(self):\n        self.count += 1")


@pytest.mark.parametrize("old", ["self.count", "self.put(item)", "self.count -= 1", "return _"])
def test_what_does_not_fit_once_is_refused(old: str) -> None:
    with pytest.raises(Misfit, match="times, not once"):
        edit_python.edited(PYTHON, "Counter.add", old, "None")


def test_of_the_module_what_fits_is_changed() -> None:
    assert edit_python.edited("A = 'x'\nB = ('y',)", "", "'y'", "'z'") == "A = 'x'\nB = ('z',)"


@pytest.mark.parametrize(
    ("old", "new", "there"),
    [
        ("item&&this._open", "false", "if (false) {"),
        ("this._items . push('}',item);", "", "{  // '}' is no end\n      \n    }"),
        (None, "return;", "(item) {\nreturn;\n};\n  Worker.prototype._take"),
    ],
)
def test_of_one_function_of_a_script_what_fits_is_changed(old: str | None, new: str, there: str) -> None:
    changed = edit_script.edited(SCRIPT, "Worker._add", old, new)
    assert there in changed
    assert "_take = function () { this._items.push('}', 1); };" in changed


@pytest.mark.parametrize("old", ["this", "this._items.push('}', 1)"])
def test_what_does_not_fit_once_in_a_script_is_refused(old: str) -> None:
    with pytest.raises(Misfit, match=r"times in Worker\._add"):
        edit_script.edited(SCRIPT, "Worker._add", old, "")


@pytest.fixture
def restless() -> Iterator[None]:
    """Garbage is collected all the time, and each collection calls Python: another thread gets its turn."""
    before = gc.get_threshold()
    gc.callbacks.append(_looks_on)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(_looks_on)


def _looks_on(phase: str, info: dict[str, int]) -> None:
    """Calls Python: that is all it is for."""


@pytest.mark.usefixtures("restless")
def test_two_threads_may_change_texts_at_once() -> None:
    text = (ROOT / "dispatcher/core/workers/leases.py").read_text("utf-8")

    def at(depth: int) -> str:
        return at(depth - 1) if depth else edit_python.edited(text, "Leases.accept", None, "pass")

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(at, [0, 10, 20, 30] * 15))) == 1
