"""The gate for JavaScript: ES5 syntax by acorn, and names that IE 11 lacks by the lists beside this file.

A line may carry ``ie11-ok: NAME`` in a comment, for a name that stands behind a feature test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import quickjs

__all__ = ["Finding", "ScriptGate", "words"]

#: Line, kind, what.
Finding = tuple[int, str, str]
Node = dict[str, Any]

_HERE = Path(__file__).resolve().parent


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


#: Members whose names are so common that a match on the name alone says nothing.
_COMMON = words(
    "source url protocol name anchor toString x y type value id text key label role slot part index host hash origin"
    " port search get set has delete keys values entries top left find stop remove append before after fill at flat of"
    " from is with sign animate scroll when detail children parse supports replace connection memory storage login"
    " install share description flags async stream bytes rotate scale columns rows toJSON forEach map filter some"
    " every reduce reduceRight indexOf lastIndexOf join slice reverse sort length repeat escape raw control username"
    " password labels empty extend handle contentType nonce groupBy isError resize baseURI documentURI cause union"
)
#: The objects whose members are looked for by name wherever they appear.
_OWNERS = words(
    "Array String Object Number Function RegExp Date Element HTMLElement Node NodeList HTMLCollection Document"
    " DocumentFragment CharacterData Event EventTarget XMLHttpRequest Blob FormData KeyboardEvent CustomEvent History"
    " HTMLInputElement HTMLFormElement HTMLSelectElement HTMLButtonElement Performance Window URL DOMTokenList"
)
#: Window properties with everyday names.
_EVERYDAY = words("find stop origin name scheduler fence dump orientation Text Rect Counter Lock Animation")
_RENAMED = {"matches": "msMatchesSelector", "scrollX": "pageXOffset", "scrollY": "pageYOffset"}
_PARSE = """
function parseScript(source, version) {
  try {
    return JSON.stringify({tree: acorn.parse(source, {ecmaVersion: version, locations: true})},
      function (key, value) { return value instanceof RegExp ? null : value; });
  } catch (e) { return JSON.stringify({error: e.message}); }
}
"""


class ScriptGate:
    """Finds what IE 11 would not understand in a script. ``acorn`` is the parser's source."""

    def __init__(self, acorn: str) -> None:
        self._engine = quickjs.Context()
        self._engine.eval(acorn)
        self._engine.eval(_PARSE)
        self._read_lists()

    def _read_lists(self) -> None:
        missing = json.loads((_HERE / "missing.json").read_text(encoding="utf-8"))
        present = json.loads((_HERE / "present.json").read_text(encoding="utf-8"))
        have = {path.split(".")[1].replace("_static", "") for path in present["js"] + present["web"] if "." in path}
        js, web = missing["js"], missing["web"]
        of_window = {path.split(".")[1] for path in web["members_of_interfaces_ie11_has"] if path.startswith("Window.")}
        self.globals = ({*js["globals"], *web["interfaces"], *web["globals"]} | of_window) - _EVERYDAY
        self.statics: dict[str, set[str]] = {}
        self.members: dict[str, str] = dict(_RENAMED)
        self.constructors: set[str] = set()
        every = js["static_or_proto_members"] + web["members_of_interfaces_ie11_has"] + web["static_members"]
        for path in every:
            self._enter(path, have)

    def _enter(self, path: str, have: set[str]) -> None:
        owner, _, member = path.replace("_static", "").partition(".")
        if not member or "." in member or "@@" in member:
            return
        if owner == member:
            self.constructors.add(owner)
            return
        self.statics.setdefault(owner, set()).add(member)
        if owner in _OWNERS and member not in have and member not in _COMMON:
            self.members.setdefault(member, path)

    def check(self, source: str, version: int = 5) -> list[Finding]:
        """Everything that is wrong; ``version`` is the edition of ECMAScript, 5 or 3."""
        parsed = json.loads(self._engine.eval(f"parseScript({json.dumps(source)}, {version})"))
        if "error" in parsed:
            return [(0, "syntax", parsed["error"])]
        return _Reading(self, source, parsed["tree"]).findings()


class _Reading:
    """One script being read."""

    def __init__(self, gate: ScriptGate, source: str, tree: Node) -> None:
        self._gate = gate
        self._lines = source.split("\n")
        self._nodes = list(_walk(tree))
        self._tested = {name for node, _, _ in self._nodes if (name := _feature_test(node))}
        self._declared = {name for node, _, _ in self._nodes for name in _declares(node)}

    def findings(self) -> list[Finding]:
        found = []
        for node, parent, key in self._nodes:
            finding = self._look(node, parent, key)
            if finding and not self._excused(node, finding[1]):
                found.append((int(node["loc"]["start"]["line"]), *finding))
        return found

    def _excused(self, node: Node, name: str) -> bool:
        line = self._lines[node["loc"]["start"]["line"] - 1]
        excuse = re.search(r"ie11-ok:\s*([\w.,]+)", line)
        return excuse is not None and name.split(".")[-1] in excuse[1].split(",")

    def _look(self, node: Node, parent: Node | None, key: str) -> tuple[str, str] | None:
        kind = node["type"]
        if kind == "Identifier" and not _is_mere_name(parent, key):
            known = self._tested | self._declared
            return ("global", node["name"]) if node["name"] in self._gate.globals - known else None
        if kind == "MemberExpression":
            return self._look_at_member(node, parent, key)
        if kind in ("NewExpression", "CallExpression"):
            return self._look_at_call(node)
        if kind == "AssignmentExpression" and _property(node["left"]) == "responseType":
            return ("behaviour", "responseType json") if node["right"].get("value") == "json" else None
        return None

    def _look_at_member(self, node: Node, parent: Node | None, key: str) -> tuple[str, str] | None:
        name, owner = _property(node), node["object"].get("name")
        gate = self._gate
        if name is None or name in self._tested:
            return None
        if owner in ("window", "self", "win", "root") and (name in gate.globals or name == "crypto"):
            return "global", name
        if owner and owner[0].isupper() and name in gate.statics.get(owner, ()):
            return "static", f"{owner}.{name}"
        interface = {"document": "Document", "navigator": "Navigator"}.get(owner or "")
        if interface and name in gate.statics[interface]:
            return "member", f"{interface}.{name}"
        if name in gate.members:
            return "member", gate.members[name]
        called = parent is not None and parent["type"] == "CallExpression" and key == "callee"
        return self._look_at_method(node, name, parent) if called and parent else None

    def _look_at_method(self, node: Node, name: str, call: Node) -> tuple[str, str] | None:
        arguments, owner = call["arguments"], node["object"]
        whose = _property(owner) if owner["type"] == "MemberExpression" else None
        if whose == "classList" and len(arguments) > 1:
            return "behaviour", f"classList.{name} of several"
        if name == "forEach" and owner["type"] == "CallExpression" and _called(owner) == "querySelectorAll":
            return "member", "NodeList.forEach"
        if name in ("addEventListener", "removeEventListener") and len(arguments) > 2:
            return ("behaviour", f"{name} with options") if arguments[2]["type"] == "ObjectExpression" else None
        if name in ("append", "prepend", "before", "after", "replaceWith") or (name == "remove" and not arguments):
            parents = ("body", "head", "parentNode", "firstChild", "lastChild", "documentElement")
            return ("member", f"Element.{name}") if whose in parents else None
        if name in ("find", "findIndex", "fill", "flat", "at") and owner["type"] == "ArrayExpression":
            return "member", f"Array.{name}"
        if name in ("includes", "repeat", "padStart", "at") and owner["type"] == "Literal":
            return "member", f"String.{name}"
        return None

    def _look_at_call(self, node: Node) -> tuple[str, str] | None:
        name, arguments = node["callee"].get("name"), node["arguments"]
        if name == "RegExp" and len(arguments) > 1 and re.search("[usyvd]", str(arguments[1].get("value", ""))):
            return "syntax", "RegExp flags"
        if node["type"] == "CallExpression" or name in self._tested:
            return None
        if name in self._gate.constructors:
            return "constructor", f"new {name}"
        return ("behaviour", f"new {name} of values") if name in ("Map", "Set", "WeakMap") and arguments else None


def _walk(node: Node, parent: Node | None = None, key: str = "") -> Iterator[tuple[Node, Node | None, str]]:
    if "type" in node:
        yield node, parent, key
    for name, value in node.items():
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, dict) and name != "loc":
                yield from _walk(child, node, name)


def _feature_test(node: Node) -> str | None:
    """The name that ``typeof name`` or ``'name' in object`` asks for."""
    if node["type"] == "UnaryExpression" and node["operator"] == "typeof":
        return node["argument"].get("name") or _property(node["argument"])
    if node["type"] == "BinaryExpression" and node["operator"] == "in" and node["left"]["type"] == "Literal":
        return str(node["left"]["value"])
    return None


def _declares(node: Node) -> list[str]:
    kind = node["type"]
    if kind in ("FunctionDeclaration", "FunctionExpression"):
        own = [node["id"]["name"]] if node.get("id") else []
        return [parameter["name"] for parameter in node["params"]] + own
    if kind == "VariableDeclarator":
        return [node["id"]["name"]]
    return [node["param"]["name"]] if kind == "CatchClause" else []


def _is_mere_name(parent: Node | None, key: str) -> bool:
    """Whether an identifier names a property or a label, not a variable."""
    if parent is None:
        return False
    kind = parent["type"]
    if kind == "MemberExpression":
        return key == "property" and not parent["computed"]
    return (kind == "Property" and key == "key") or kind in (
        "LabeledStatement",
        "BreakStatement",
        "ContinueStatement",
    )


def _property(node: Node) -> str | None:
    if node["type"] != "MemberExpression":
        return None
    value = node["property"].get("value") if node["computed"] else node["property"].get("name")
    return value if isinstance(value, str) else None


def _called(node: Node) -> str | None:
    return _property(node["callee"])
