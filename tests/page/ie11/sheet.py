"""The gate for style sheets and pages: what IE 11 does not understand, by the lists beside this file.

A style may carry ``ie11-ok: NAME`` in a comment on its line, for an ornament that IE 11 may ignore.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import tinycss2

from .script import Finding, words

__all__ = ["check_html", "check_style"]

_MISSING = json.loads((Path(__file__).with_name("missing.json")).read_text(encoding="utf-8"))
#: Internet Explorer draws SVG since version 9, and takes its ``fill`` from a style sheet.
_OF_SVG = {"fill"}
_PROPERTIES = set(_MISSING["css"]["properties"]) - _OF_SVG
_VALUES: dict[str, set[str]] = {}
for _path in _MISSING["css"]["property_values"]:
    _VALUES.setdefault(_path.split(":")[0], set()).add(_path.split(":")[-1])
_VALUES.setdefault("display", set()).update({"grid", "inline-grid"})  # IE 11 has an older grid, with prefixes
#: What CSS 2.1 has; the lists miss a statement for some of it.
_CSS_2 = words(
    "none auto normal inherit transparent solid dashed dotted double groove ridge inset outset hidden thin medium thick"
    " collapse separate left right center justify top bottom middle baseline block inline inline-block list-item table"
    " table-cell table-row table-caption underline overline line-through bold bolder lighter italic oblique small-caps"
    " serif sans-serif monospace cursive fantasy visible scroll fixed absolute relative static both disc circle square"
    " decimal nowrap pre pre-wrap pre-line capitalize uppercase lowercase repeat-x repeat-y no-repeat pointer default"
    " text help wait move small large larger smaller"
)
_SELECTORS = {path for path in _MISSING["css"]["selectors"] if "." not in path} | {"placeholder-shown", "placeholder"}
_FUNCTIONS = words(
    "var min max clamp env conic-gradient repeating-conic-gradient fit-content minmax repeat color-mix lab lch oklch"
    " hwb image-set cross-fade light-dark color blur path"
)
_UNITS = re.compile(r"^(vmax|[dsl]v[hwib]|[dsl]vm(in|ax)|q|ic|lh|rlh|cap|fr|cq\w+)$", re.IGNORECASE)
_AT_RULES = frozenset({"media", "import", "font-face", "keyframes", "page", "charset", "namespace"})
_ANYWHERE = frozenset({"unset", "revert", "rebeccapurple"})


def check_style(source: str) -> list[Finding]:
    """Findings in a style sheet."""
    found: list[Finding] = []
    _rules(tinycss2.parse_stylesheet(source, skip_comments=True, skip_whitespace=True), found)
    lines = source.split("\n")
    return sorted({item for item in found if not _excused(lines[item[0] - 1], item[2])})


def _excused(line: str, name: str) -> bool:
    excuse = re.search(r"ie11-ok:\s*([\w@,-]+)", line)
    return excuse is not None and any(part in name for part in excuse[1].split(","))


def _rules(rules: list[Any], found: list[Finding]) -> None:
    for rule in rules:
        if rule.type == "error":
            found.append((rule.source_line, "syntax", rule.message))
        elif rule.type == "at-rule":
            _at_rule(rule, found)
        elif rule.type == "qualified-rule":
            _selector(rule.prelude, found)
            _declarations(rule.content, found)


def _at_rule(rule: Any, found: list[Finding]) -> None:
    keyword = rule.lower_at_keyword
    if keyword not in _AT_RULES:
        found.append((rule.source_line, "at-rule", f"@{keyword}"))
        return
    prelude = tinycss2.serialize(rule.prelude)
    if keyword == "media" and re.search(r"[<>]|prefers-|hover|pointer|color-gamut|not\s*\(", prelude):
        found.append((rule.source_line, "media", prelude.strip()))
    if keyword == "media" and rule.content:
        _rules(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), found)
    elif keyword == "font-face" and rule.content:
        _declarations(rule.content, found)


def _selector(tokens: list[Any], found: list[Finding]) -> None:
    for colon, after in pairwise(tokens):
        if colon.type == "literal" and colon.value == ":":
            name = getattr(after, "lower_value", None) or getattr(after, "lower_name", None)
            if name in _SELECTORS:
                found.append((after.source_line, "selector", f":{name}"))


def _declarations(content: list[Any], found: list[Finding]) -> None:
    for item in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if item.type != "declaration":
            found.append((item.source_line, "nesting", item.type))
            continue
        name = item.lower_name
        if name in _PROPERTIES or item.name.startswith("--") or name == "user-select":
            found.append((item.source_line, "property", item.name))
        if not name.startswith("-"):
            _value(name, item.value, found)


def _value(name: str, tokens: list[Any], found: list[Finding]) -> None:
    for token in tokens:
        if token.type == "function":
            _function(name, token, found)
        elif token.type == "ident" and token.lower_value in (_VALUES.get(name, set()) | _ANYWHERE) - _CSS_2:
            found.append((token.source_line, "value", f"{name}: {token.lower_value}"))
        elif token.type == "dimension" and _UNITS.match(token.lower_unit):
            found.append((token.source_line, "unit", token.unit))
        elif token.type == "hash" and len(token.value) in (4, 8):
            found.append((token.source_line, "colour", f"#{token.value}"))


def _function(name: str, token: Any, found: list[Finding]) -> None:
    if token.lower_name in _FUNCTIONS:
        found.append((token.source_line, "function", f"{token.lower_name}()"))
    commas = any(part.type == "literal" and part.value == "," for part in token.arguments)
    if token.lower_name in ("rgb", "rgba", "hsl", "hsla") and not commas:
        found.append((token.source_line, "colour", f"{token.lower_name}() without commas"))
    _value(name, token.arguments, found)


def check_html(source: str, check_script: Callable[[str], list[Finding]]) -> list[Finding]:
    """Findings in a page, its inline scripts and styles among them."""
    reader = _Html(check_script)
    reader.feed(source)
    reader.close()
    return reader.found


class _Html(HTMLParser):
    _ELEMENTS = frozenset(_MISSING["html"]["elements"])
    _ATTRIBUTES = frozenset(_MISSING["html"]["attributes"])
    _GLOBALS = frozenset(_MISSING["html"]["global_attributes"])
    _INPUTS = frozenset(path.split("type_")[1].replace("_", "-") for path in _MISSING["html"]["input_types"])

    def __init__(self, check_script: Callable[[str], list[Finding]]) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Finding] = []
        self._check_script = check_script
        self._raw: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, given = self.getpos()[0], dict(attrs)
        if tag in self._ELEMENTS:
            self.found.append((line, "element", tag))
        for name, value in attrs:
            self._attribute(line, tag, name, value or "")
        if tag == "input" and given.get("type") in self._INPUTS:
            self.found.append((line, "input", str(given["type"])))
        if tag == "script" and given.get("type") in ("module", "importmap"):
            self.found.append((line, "script", str(given["type"])))
        self._raw = tag if tag in ("script", "style") and "src" not in given else None

    def _attribute(self, line: int, tag: str, name: str, value: str) -> None:
        if f"{tag}.{name}" in self._ATTRIBUTES or name in self._GLOBALS:
            self.found.append((line, "attribute", f"{tag}.{name}"))
        if name == "style":
            self.found += [(line, kind, what) for _, kind, what in check_style(f"x{{{value}}}")]
        if name.startswith("on"):
            script = self._check_script(f"(function (event) {{{value}\n}})")
            self.found += [(line, kind, what) for _, kind, what in script]

    def handle_data(self, data: str) -> None:
        check = {"style": check_style, "script": self._check_script}.get(self._raw or "")
        if check:
            first = self.getpos()[0] - 1
            self.found += [(first + line, kind, what) for line, kind, what in check(data)]

    def handle_endtag(self, tag: str) -> None:
        self._raw = None
