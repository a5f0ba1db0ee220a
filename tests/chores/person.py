"""Somebody at a browser who sees what stands on a page, and clicks on it. What is hidden cannot be clicked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.page.browsers import Chromium
from tests.support.waiting import until

__all__ = ["Person"]

_PATIENCE_S = 15.0
#: What fits a selector and is shown, each with what it says: one question to the browser, not three for each link.
_SHOWN = """
return [].filter.call(document.querySelectorAll(arguments[0]), function (one) {
  return one.checkVisibility({opacityProperty: true, visibilityProperty: true}) && one.getClientRects().length > 0;
}).map(function (one) { return [one, one.innerText || one.getAttribute('aria-label') || '']; });
"""


class Person:
    """Counts clicks; a click into a field, to type there, is one, too. Enter is none."""

    def __init__(self, browser: Chromium, url: str) -> None:
        self._browser, self._url = browser, url
        self.driver = browser.driver
        #: Keys beside those that write a text: whoever has a mouse needs none.
        self.clicks = self.keys = 0

    def begin(self, path: str) -> None:
        """Has this page of the console open, from a bookmark."""
        self._browser.open(self._url + path)

    def leaves_open(self, path: str) -> None:
        """Opens this in another window, and goes on in this one."""
        driver = self.driver
        here = driver.current_window_handle
        driver.switch_to.new_window("window")
        driver.get(self._url + path)
        driver.switch_to.window(here)

    def sees(self, words: str) -> bool:
        """Whether these words stand on the page."""
        return words in self.reads()

    def reads(self) -> str:
        """The whole page, as it is shown; nothing while another one comes."""
        text = self._browser.run("document.body ? document.body.innerText : ''")
        return str(text).replace("\u00a0", " ")

    def waits_for(self, words: str, seconds: float = _PATIENCE_S) -> None:
        """Looks until these words stand there."""
        try:
            until(lambda: self.sees(words), seconds)
        except TimeoutError:
            raise AssertionError(f"{words!r} does not come on {self.driver.current_url}: {self.reads()}") from None

    @contextlib.contextmanager
    def without_network(self) -> Iterator[None]:
        """The PC has none meanwhile."""
        self._browser.offline(True)
        try:
            yield
        finally:
            self._browser.offline(False)

    def click(self, words: str) -> None:
        """The first link or button that says these words; else one that begins with them; else one that has them."""
        self._do(lambda: self.press(self._named(words)), words)

    def type(self, label: str, text: str, *, enter: bool = False) -> None:
        """Clicks into the field that is labelled so, and types in place of what is there."""

        def typed() -> None:
            field = self._field(label)
            self.fill(field, text)
            if enter:
                self.enter(field)

        self._do(typed, label)

    def chooses(self, label: str, text: str) -> None:
        """Takes a choice in the field that is labelled so: a click on it, and one on the choice."""
        self._do(lambda: self.choose(self._field(label), text), label)
        self.clicks += 1

    # How a thing is reached: ``hands.py`` has other ways.

    def press(self, element: WebElement) -> None:
        """A click."""
        element.click()

    def fill(self, field: WebElement, text: str) -> None:
        """A click into the field, and what is typed in place of what is there."""
        field.click()
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)

    def choose(self, field: WebElement, text: str) -> None:
        """The choice that says this."""
        field.find_element(By.XPATH, f".//option[. = '{text}']").click()

    def enter(self, field: WebElement) -> None:
        """The key Enter, in a field."""
        field.send_keys(Keys.ENTER)

    def _do(self, act: Callable[[], None], words: str) -> None:
        def done() -> bool:
            try:
                act()
            except (NoSuchElementException, StaleElementReferenceException):
                return False  # the page is just being drawn anew
            return True

        until(done, _PATIENCE_S, f"{words!r} on {self.driver.current_url}")
        self.clicks += 1

    def _named(self, words: str) -> WebElement:
        shown = self._shown("a, button, summary, input[type=checkbox]")
        for fits in (str.__eq__, str.startswith, str.__contains__):
            if named := [one for one, said in shown if fits(said, words)]:
                return named[0]
        raise NoSuchElementException(words)

    def _field(self, label: str) -> WebElement:
        """By its label's beginning, in the order of the page."""
        for one, said in self._shown("label"):
            if said.startswith(label):
                return _labelled(one)
        raise NoSuchElementException(label)

    def _shown(self, selector: str) -> list[tuple[WebElement, str]]:
        found: list[tuple[WebElement, str]] = self.driver.execute_script(_SHOWN, selector)
        return [(one, " ".join(said.replace("\u00a0", " ").split())) for one, said in found]


def _labelled(label: WebElement) -> WebElement:
    if name := label.get_attribute("for"):
        return label.parent.find_element(By.ID, name)
    return label.find_element(By.CSS_SELECTOR, "input, textarea, select")
