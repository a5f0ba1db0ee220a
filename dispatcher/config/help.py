"""The settings as people read them: ``--help``, ``--print-config`` and the reference page in Markdown.

All three come from the one table in ``settings.py``. This module must not know where values come from.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import Field
from pathlib import Path
from typing import Any, NamedTuple

from dispatcher.config.settings import Settings, settings_fields

__all__ = ["amount", "config", "flag", "help_page", "markdown", "toml_text"]

WIDTH = 79
#: The column in which the text beside a flag begins.
COLUMN = 27

_GROUPS = {
    "server": "Server",
    "jobs": "Jobs, where they do not say it themselves",
    "pages": "Pages",
    "limits": "Limits",
    "general": "General",
}
_PLACEHOLDERS = {
    "bind": "ADDRESS",
    "store": "URL",
    "node": "NAME",
    "tasks": "DIR",
    "token": "TEXT",
    "allow_host": "HOST",
    "backup_dir": "DIR",
    "env_label": "WORD",
    "front": "NAME",
    "log_format": "NAME",
    "public_url": "URL",
    "allow_origin": "ORIGIN",
    "host_call": "METHOD",
    "transports": "NAMES",
    "webhook_allow": "TARGET",
    "callback_host": "HOST",
    "callback_secret": "TEXT",
}
_UNITS = {"s": "S", "bytes": "BYTES"}
#: By unit: the least value, the divisor and the name of each larger unit.
_SCALES = {
    "s": ((172_800, 86_400, "d"), (3_600, 3_600, "h"), (120, 60, "min")),
    "bytes": tuple((1 << power, 1 << power, name) for power, name in ((40, "TiB"), (30, "GiB"), (20, "MiB"))),
}
_SECRET = frozenset({"token", "callback_secret"})


class _Row(NamedTuple):
    """A flag as help and reference show it."""

    flag: str
    placeholder: str
    text: str
    limits: str
    default: str
    group: str
    #: Empty for what is only a flag.
    name: str = ""


_STORE_DEFAULT = "pagehand.db here in a checkout; installed, in your data directory"
_BESIDE = {
    "token": _Row(
        "--token-file",
        "FILE",
        "the same, read from a file, where ps does not show it",
        "",
        "",
        "server",
        "token_file",
    )
}
_GENERAL = (
    _Row("--config", "FILE", "TOML file with settings", "", "", "general"),
    _Row("--print-config", "", "show each setting and where it came from, and end", "", "", "general"),
    _Row("--version", "", "show the version, and end", "", "", "general"),
    _Row("-h, --help", "", "show this, and end", "", "", "general"),
)


def flag(name: str) -> str:
    """The flag of a setting."""
    return "--" + name.replace("_", "-")


def amount(value: float, unit: str) -> str:
    """A value with its unit, and in a larger unit if that is a whole number: ``3600 s (1 h)``."""
    text = f"{value:.15g} {unit}".rstrip()
    for least, size, name in _SCALES.get(unit, ()):
        if value >= least and value % size == 0:
            return f"{text} ({value / size:.15g} {name})"
    return text


def _rows() -> Iterator[_Row]:
    for item in settings_fields():
        yield _row(item)
        if item.name in _BESIDE:
            yield _BESIDE[item.name]
    yield from _GENERAL


def _row(item: Field[Any]) -> _Row:
    meta = item.metadata
    name, text, group = item.name, meta["help"], meta["group"]
    if item.type == "bool":
        return _Row(flag(name), "", text, "", "yes" if item.default else "no", group, name)
    if "low" not in meta:
        default = _STORE_DEFAULT if name == "store" else str(item.default or "")
        return _Row(flag(name), _PLACEHOLDERS[name], text, "", default, group, name)
    unit = meta["unit"]
    limits = f"{meta['low']:.15g} to {amount(meta['high'], unit)}"
    default = amount(getattr(Settings(), name), unit)
    return _Row(flag(name), _UNITS.get(unit, "N"), text, limits, default, group, name)


# --help


def help_page() -> str:
    """The text of ``--help``, at most 79 columns wide."""
    program = "python server.py" if Path(sys.argv[0]).name == "server.py" else "pagehand serve"
    parts = [_HEAD.format(program=program)]
    rows = list(_rows())
    for group, title in _GROUPS.items():
        parts.append(f"{title}\n" + "".join(_help_row(row) for row in rows if row.group == group))
    return "\n".join([*parts, _FOOT])


def _help_row(row: _Row) -> str:
    head = f"  {row.flag} {row.placeholder}".rstrip()
    default = f"default {row.default}" if row.default else ""
    lines = textwrap.wrap(row.text, WIDTH - COLUMN)
    if row.limits and len(f"[{row.limits}; {default}]") > WIDTH - COLUMN:
        lines += [f"[{row.limits};", f" {default}]"]
    elif parts := [part for part in (row.limits, default) if part]:
        lines += textwrap.wrap(f"[{'; '.join(parts)}]", WIDTH - COLUMN)
    if len(head) > COLUMN - 2:
        return f"{head}\n" + "".join(f"{'':{COLUMN}}{line}\n" for line in lines)
    return "".join(f"{head if index == 0 else '':{COLUMN}}{line}\n" for index, line in enumerate(lines))


_HEAD = """\
usage: {program} [flags]

Starts the Pagehand server: it takes jobs over HTTP and hands them to workers
that are web pages.

Examples
  {program}
      for this machine alone, on http://127.0.0.1:8888/
  {program} --port 9000 --store sqlite:///jobs.db
      another port, and another file for the jobs
  {program} --bind 0.0.0.0 --token-file token.txt
      for other machines too; they must show the secret in token.txt
  {program} --config pagehand.toml --print-config
      what the settings would be, and where each comes from
"""

_FOOT = """\
Variables and the file
  Each setting is also a variable and a key of the TOML file. A flag beats a
  variable, a variable beats the file, the file beats the default:

    --offer-ttl-s 5        PAGEHAND_OFFER_TTL_S=5      offer_ttl_s = 5
    --insecure             PAGEHAND_INSECURE=yes       insecure = true
    --no-insecure          PAGEHAND_INSECURE=no        insecure = false
    --allow-host a \\
    --allow-host b         PAGEHAND_ALLOW_HOST=a,b     allow_host = ["a", "b"]

  PAGEHAND_CONFIG names the file, PAGEHAND_TOKEN_FILE a file with the token.
  Names that are unknown and values out of range are errors; nothing is
  clamped. An empty variable counts as not set. S is seconds, with decimals
  if you like. Relative paths start in the current directory.

Ends with 0 after a stop, with 2 when a setting cannot be used.
"""


# --print-config


def config(settings: Settings, origins: Mapping[str, str]) -> str:
    """The settings as a TOML file, each with its origin; secrets are masked."""
    lines = []
    for item in settings_fields():
        value = getattr(settings, item.name)
        if item.name in _SECRET and value:
            lines.append((f"# {item.name} is set, and not shown", origins[item.name]))
        else:
            lines.append((f"{item.name} = {toml_text(value)}", origins[item.name]))
    width = min(max(len(line) for line, _ in lines), 50)
    return "".join(f"{line:{width}}  # {origin}\n" for line, origin in lines)


def toml_text(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(toml_text(part) for part in value) + "]"
    if isinstance(value, str):
        escaped = "".join(_escaped(char) for char in value)
        return f'"{escaped}"'
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else f"\\U{ord(char):08x}"


# docs/settings.md


def markdown() -> str:
    """The reference page; ``make docs`` writes it."""
    parts = [_MARKDOWN_HEAD]
    rows = list(_rows())
    for group, title in _GROUPS.items():
        named = [row for row in rows if row.group == group and row.name]
        if named:
            parts.append(f"## {title}\n\n{_TABLE_HEAD}" + "".join(_markdown_row(row) for row in named))
    return "\n".join(parts)


def _markdown_row(row: _Row) -> str:
    head = f"`{row.flag} {row.placeholder}".rstrip() + "`"
    unit = {"S": "s", "BYTES": "bytes"}.get(row.placeholder, "")
    cells = (head, f"`PAGEHAND_{row.name.upper()}`", f"`{row.name}`", unit, row.limits, row.default, row.text)
    return "| " + " | ".join(cells) + " |\n"


_TABLE_HEAD = "| flag | variable | TOML key | unit | range | default | meaning |\n|---|---|---|---|---|---|---|\n"

_MARKDOWN_HEAD = """\
# Settings

<!-- Made by `make docs` from dispatcher/config/settings.py; edit it there. -->

A flag beats a variable, a variable beats the TOML file (`--config FILE` or `PAGEHAND_CONFIG`), the file beats
the default. `--print-config` shows every setting and where it came from. Unknown names and values
out of range are errors; nothing is clamped. A list is a repeated flag, a comma-separated variable, or a TOML
array. A switch takes `yes` or `no` as a variable, and `--no-...` as a flag. An empty variable counts as not
set. Relative paths start in the current directory.
"""
