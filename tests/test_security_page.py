"""SECURITY.md: where to tell of a hole, and which versions are mended."""

from __future__ import annotations

import re

from dispatcher import __version__
from tests.support.places import ROOT

PAGE = (ROOT / "SECURITY.md").read_text("utf-8")


def test_it_names_the_line_of_this_version_as_the_one_that_is_mended() -> None:
    line = ".".join(__version__.split(".")[:2]) + ".x"
    assert re.findall(r"^\| (\S+) \| (yes|no) \|$", PAGE, re.M) == [(line, "yes"), ("older", "no")]


def test_it_says_where_to_tell_of_a_hole_and_not_in_public() -> None:
    section = PAGE.partition("## Telling of a hole")[2].partition("## ")[0]
    assert "Report a vulnerability" in section
    assert "do not open a public issue" in section


def test_the_readme_and_the_page_on_access_lead_to_it() -> None:
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text("utf-8")
    assert "(../SECURITY.md)" in (ROOT / "docs" / "security.md").read_text("utf-8")
