"""``--env-label``: which server this is."""

from __future__ import annotations

import pytest

from dispatcher.config.checks import checked_value
from dispatcher.config.settings import settings_fields
from dispatcher.errors import SettingError

[ITEM] = [item for item in settings_fields() if item.name == "env_label"]


@pytest.mark.parametrize("label", ["", "P", "PROD", "Test 2", "Prüfung (Berlin)", "a/b-c.d e", "x" * 20])
def test_a_word_or_two_for_people_is_taken(label: str) -> None:
    assert checked_value(ITEM, label, "--env-label") == label


@pytest.mark.parametrize("label", ["x" * 21, " PROD", "PROD ", "<b>", "a\nb", "\u202eTSET", "!"])
def test_what_would_not_fit_the_head_of_a_page_is_refused_in_words(label: str) -> None:
    with pytest.raises(SettingError, match="--env-label must be a word or two for people, at most 20 letters"):
        checked_value(ITEM, label, "--env-label")
