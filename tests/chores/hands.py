"""Others who do the same work: somebody who has a keyboard alone, and somebody whose browser runs no script.

What they do is judged as what is done with the mouse; only how they reach a thing and press it is their own.
"""

from __future__ import annotations

from selenium.common.exceptions import NoSuchElementException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.chores.person import Person

__all__ = ["AtTheKeyboard", "WithoutScript"]

#: How many steps of the Tab key lead from what has the focus to this element, by the order of the page: a guess, for
#: the key itself is pressed. 0: nothing can be said of it.
_STEPS = """
var there = [].filter.call(document.querySelectorAll(
  'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"], audio[controls]'),
  function (one) { return !one.disabled && one.tabIndex >= 0 && one.checkVisibility(); });
return there.indexOf(arguments[0]) - there.indexOf(document.activeElement);
"""
#: Whether one sees that this element has the focus.
_SHOWS = """
var style = getComputedStyle(arguments[0]);
return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
"""
#: A page whose title says whether scripts run.
_TELLS = "data:text/html,<title>off</title><script>document.title='on'</script>"
#: Steps that may be wanting, or too many, where the order of the page is not that of the key.
_MORE = 20


class AtTheKeyboard(Person):
    """Goes to each thing with Tab, and presses it with Enter or the space bar; what has the focus must be seen."""

    def press(self, element: WebElement) -> None:
        """Goes there, and presses it."""
        self._go_to(element)
        is_box = element.get_attribute("type") in ("checkbox", "radio")
        self._keys(Keys.SPACE if is_box else Keys.ENTER)

    def fill(self, field: WebElement, text: str) -> None:
        """Goes there, and types in place of what is there."""
        self._go_to(field)
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(text).perform()

    def choose(self, field: WebElement, text: str) -> None:
        """Goes there, and types the beginning of the choice."""
        self._go_to(field)
        self._keys(text)

    def enter(self, field: WebElement) -> None:
        """It is there already."""
        assert self.driver.switch_to.active_element == field
        self._keys(Keys.ENTER)

    def _go_to(self, element: WebElement) -> None:
        steps = int(self.driver.execute_script(_STEPS, element))
        if steps:
            self._tab(steps)
        for _ in range(_MORE):
            if self.driver.switch_to.active_element == element:
                assert self.driver.execute_script(_SHOWS, element), f"nobody sees the focus on {element.text!r}"
                return
            self._tab(1)
        raise NoSuchElementException(f"Tab does not lead to {element.text!r}")

    def _tab(self, steps: int) -> None:
        if steps > 0:
            self._keys(Keys.TAB * steps)
        else:
            self.keys -= steps
            back = ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB * -steps)
            back.key_up(Keys.SHIFT).perform()

    def _keys(self, keys: str) -> None:
        self.keys += len(keys)
        ActionChains(self.driver).send_keys(keys).perform()


class WithoutScript(Person):
    """Has a browser that runs no script of a page. A worker page needs scripts: that one runs them."""

    def begin(self, path: str) -> None:
        """Scripts are off, but on a worker page."""
        off = not path.startswith("/worker?")
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": off})
        self.driver.get(_TELLS)
        assert self.driver.title == ("off" if off else "on"), "whether scripts run"
        super().begin(path)
