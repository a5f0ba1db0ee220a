"""Real browsers for tests of the worker page: Chromium by selenium, PhantomJS by its own script.

Both give the same few verbs: ``open``, ``status`` (what a person sees), ``run`` (JavaScript), ``click``,
``screenshot``, ``kill``. PhantomJS knows nothing newer than ES5: what runs there has no chance to be too new
for IE 11. Neither is Trident.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.support.missing import chromium_path, missing
from tests.support.ports import free_port
from tests.support.waiting import until

__all__ = ["IE11_AGENT", "Browser", "Chromium", "PhantomJS", "browsing"]

IE11_AGENT = "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko"
_CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
#: What a person reads, as one value.
_READ_STATUS = """
(function () {
  function text(id) { var e = document.getElementById(id); return e ? e.textContent : ''; }
  return {state: document.body ? document.body.className : '', word: text('word'), detail: text('detail'),
    name: text('name'), labels: text('labels'), server: text('server'), since: text('since'), contact: text('contact'),
    job: text('job'), today: text('today'), error: text('error'), title: document.title};
}())
"""


class Browser(Protocol):
    """One browser with one page."""

    def open(self, url: str) -> None: ...
    def run(self, expression: str) -> Any: ...
    def status(self) -> dict[str, str]: ...
    def click(self, element_id: str) -> None: ...
    def resize(self, width: int, height: int) -> None: ...
    def reload(self) -> None: ...
    def screenshot(self, path: Path) -> None: ...
    def errors(self) -> list[str]: ...
    def offline(self, offline: bool) -> None: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


AnyBrowser = TypeVar("AnyBrowser", bound=Browser)


@contextlib.contextmanager
def browsing(browser: AnyBrowser) -> Iterator[AnyBrowser]:
    """A browser that is killed at the end, however that comes."""
    try:
        yield browser
    finally:
        browser.kill()


def _phantomjs_path() -> str | None:
    """Where PhantomJS is: ``PHANTOMJS``, the PATH, or the binary inside the phasma package."""
    for name in (os.environ.get("PHANTOMJS"), "phantomjs"):
        if name and (path := shutil.which(name)):
            return path
    with contextlib.suppress(ModuleNotFoundError):
        spec = importlib.util.find_spec("phasma.driver")
        if spec and spec.origin:
            binary = Path(spec.origin).parent / "phantomjs" / "bin" / "phantomjs"
            return str(binary) if os.access(binary, os.X_OK) else None
    return None


class Chromium:
    """Chromium without a window. ``caged``: it claims to be IE 11, and lacks what IE 11 lacks."""

    def __init__(
        self,
        *,
        width: int = 1024,
        height: int = 700,
        caged: bool = False,
        flags: Sequence[str] = (),
        preferences: Mapping[str, object] | None = None,
    ) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium_path() or ""
        for flag in (*_CHROMIUM_FLAGS, f"--window-size={width},{height}", *flags):
            options.add_argument(flag)
        options.add_experimental_option("prefs", dict(preferences or {}))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(shutil.which("chromedriver"), port=free_port())
        self.driver = webdriver.Chrome(options=options, service=service)
        self._size, self._caged = (width, height), caged
        self._fit_out()

    def _fit_out(self) -> None:
        """What a tab has."""
        self.resize(*self._size)
        if self._caged:
            cage = (Path(__file__).parent / "ie11" / "cage.js").read_text(encoding="utf-8")
            source = f"window.__ie11cage_opts = {{websocket: false}};\n{cage}"
            self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
            self.driver.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": IE11_AGENT})

    def begin_anew(self) -> None:
        """Has one new tab, and nothing of the page before: another test may go on with it."""
        before, address = self.driver.window_handles, urlsplit(self.driver.current_url)
        self.driver.switch_to.new_window("tab")
        new = self.driver.current_window_handle
        for tab in before:
            self.driver.switch_to.window(tab)
            self.driver.close()
        self.driver.switch_to.window(new)
        if address.netloc:
            kept = {"origin": f"{address.scheme}://{address.netloc}", "storageTypes": "all"}
            self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", kept)
        self.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        self._fit_out()
        self.errors()

    def open(self, url: str) -> None:
        self.driver.get(url)

    def run(self, expression: str) -> Any:
        return self.driver.execute_script(f"return {expression.strip()};")

    def status(self) -> dict[str, str]:
        return dict(self.run(_READ_STATUS))

    def click(self, element_id: str) -> None:
        self.driver.find_element("id", element_id).click()

    def resize(self, width: int, height: int) -> None:
        """Sets the page's own size; a window cannot be narrower than 500 pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, colours: str) -> None:
        """Has the system ask for these colours, ``light`` or ``dark``; empty: for none."""
        features = [{"name": "prefers-color-scheme", "value": colours}] if colours else []
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def reload(self) -> None:
        self.driver.refresh()

    def screenshot(self, path: Path) -> None:
        self.driver.save_screenshot(str(path))

    def errors(self) -> list[str]:
        """The console's lines at SEVERE since the last call."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def offline(self, offline: bool) -> None:
        """Take the network away, or give it back."""
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def freeze(self, frozen: bool) -> None:
        """Stop the page's timers and scripts as a hidden tab's, or let them go on."""
        state = "frozen" if frozen else "active"
        self.driver.execute_cdp_cmd("Page.setWebLifecycleState", {"state": state})

    def stop(self, stopped: bool) -> None:
        """Stop all its processes where they are (SIGSTOP), or let them go on."""
        self._signal(signal.SIGSTOP if stopped else signal.SIGCONT)

    def kill(self) -> None:
        """Acts like a power cut: the server is told nothing, nothing is saved."""
        self._signal(signal.SIGKILL)
        self.driver.service.stop()

    def _signal(self, number: signal.Signals) -> None:
        for child in _children(self.driver.service.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    def close(self) -> None:
        self.driver.quit()


def _children(pid: int) -> list[int]:
    """All descendants of a process, deepest first."""
    found: list[int] = []
    tasks = Path(f"/proc/{pid}/task")
    for task in tasks.glob("*"):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += [*_children(int(child)), int(child)]
    return found


class PhantomJS:
    """PhantomJS behind ``phantom.js``, which takes its commands from files: see there.

    Where there is none, the test that makes it is skipped, and fails under CI.
    """

    def __init__(self, *, width: int = 1024, height: int = 700, agent: str = IE11_AGENT) -> None:
        program = _phantomjs_path()
        if program is None:
            missing("needs PhantomJS (pip install phasma)")
        self._directory = tempfile.TemporaryDirectory(prefix="phantom")
        self._count = 0
        script = Path(__file__).with_name("phantom.js")
        self._process = subprocess.Popen(
            [
                program,
                f"--local-storage-path={self._directory.name}",  # else it outlives the process
                str(script),
                *(self._directory.name, agent, str(width), str(height)),
            ],
            env={**os.environ, "OPENSSL_CONF": "/dev/null"},
        )

    def _ask(self, command: str, argument: Any = None) -> Any:
        self._count += 1
        path = Path(self._directory.name) / f"{self._count}.command"
        part = path.with_suffix(".part")
        part.write_text(json.dumps([command, argument]), encoding="utf-8")
        part.rename(path)
        answer_path = path.with_suffix(".answer")
        until(lambda: answer_path.exists() or self._process.poll() is not None, 20, f"PhantomJS, {command},")
        if not answer_path.exists():
            raise RuntimeError(f"PhantomJS ended with {self._process.returncode}")
        answer = json.loads(answer_path.read_text(encoding="utf-8"))
        if "failed" in answer:
            raise RuntimeError(f"PhantomJS, {command}: {answer['failed']}")
        return answer.get("value")

    def open(self, url: str) -> None:
        self._ask("open", url)

    def run(self, expression: str) -> Any:
        return self._ask("run", expression.strip())

    def status(self) -> dict[str, str]:
        return dict(self.run(_READ_STATUS))

    def click(self, element_id: str) -> None:
        self.run(f"document.getElementById({json.dumps(element_id)}).click()")

    def resize(self, width: int, height: int) -> None:
        self._ask("resize", [width, height])

    def reload(self) -> None:
        self._ask("reload")

    def screenshot(self, path: Path) -> None:
        self._ask("screenshot", str(path))

    def errors(self) -> list[str]:
        return list(self._ask("errors"))

    def offline(self, offline: bool) -> None:
        """Cut new requests, but leave waiting ones alone."""
        self._ask("offline", offline)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._directory.cleanup()

    def close(self) -> None:
        self.kill()
