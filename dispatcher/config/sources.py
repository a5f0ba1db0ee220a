"""Where settings come from: flags, then ``PAGEHAND_*`` variables, then a TOML file, then the defaults.

Owns the names, the precedence and the reading of each source. ``settings.py`` says what a setting is, with its
unit and range; ``checks.py`` says which settings contradict each other; ``help.py`` shows them to people. Knows
nothing of the server that uses them.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from dispatcher import __version__
from dispatcher.config import checks
from dispatcher.config import help as help_text
from dispatcher.config.settings import Settings, settings_fields
from dispatcher.errors import SettingError
from dispatcher.reading import AS_FILE, text_of

__all__ = ["Options", "parse", "settings_or_exit"]

PREFIX = "PAGEHAND_"
#: Variables of this prefix that are not for the server: the command line reads its address there.
FOREIGN = frozenset({"PAGEHAND_URL"})

COMMAND_LINE = "command line"
#: Flags that are not settings.
_ONLY_FLAGS = ("--config", "--print-config", "--version", "--help", "--token-file")

_FIELDS = {item.name: item for item in settings_fields()}
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


class Given(NamedTuple):
    """A value as one source gave it, not yet checked."""

    value: object
    origin: str


Layer = dict[str, Given]


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of this run, and where each came from."""

    settings: Settings
    #: By setting: ``default``, ``command line``, the name of a variable or of a file.
    origins: Mapping[str, str]
    #: Whether to show the settings and end.
    print_config: bool = False


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Gathers and checks the settings.

    Raises SettingError for anything unknown, out of range or contradictory. ``--help`` and ``--version``
    print and raise SystemExit(0), as is usual with argparse.
    """
    flags, variables = _flags(argv), _variables(environ)
    print_config = flags.pop("print_config", None) is not None
    config = flags.pop("config", None) or variables.pop("config", None)
    variables.pop("config", None)
    given = _merged(flags, variables, _file(config) if config else {})
    values = {name: checks.checked_value(_FIELDS[name], *item) for name, item in given.items()}
    origins = {name: given[name].origin if name in given else checks.DEFAULT for name in _FIELDS}
    return Options(checks.checked_settings(values, origins, environ), origins, print_config)


def settings_or_exit(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings for a program's ``main``; bad ones end the program with status 2 and one line that says why.

    Obeys ``--print-config``, which ends the program with status 0.
    """
    try:
        options = parse(sys.argv[1:] if argv is None else argv, os.environ if environ is None else environ)
    except SettingError as error:
        print(f"pagehand: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    if options.print_config:
        print(help_text.config(options.settings, options.origins), end="")
        raise SystemExit(0)
    return options.settings


def _merged(*layers: Layer) -> Layer:
    """One layer from several, strongest first; a token also beats a weaker layer's token file."""
    merged: Layer = {}
    for layer in layers:
        if "token" in layer and "token_file" in layer:
            origin = layer["token"].origin
            raise SettingError(f"give token or token_file, not both (from {origin})")
        held = {"token", "token_file"} if {"token", "token_file"} & merged.keys() else set()
        merged.update({name: item for name, item in layer.items() if name not in merged.keys() | held})
    if token_file := merged.pop("token_file", None):
        merged["token"] = _token(token_file)
    return merged


def _token(given: Given) -> Given:
    path = Path(str(given.value))
    try:
        token = text_of(path.read_bytes()).strip()
    except OSError as error:
        raise SettingError(f"cannot read the token file {path} (from {given.origin}): {error}") from None
    except ValueError as fault:
        raise SettingError(f"the token file {path} {fault} (from {given.origin}): {AS_FILE}") from None
    if not token:
        raise SettingError(f"the token file {path} is empty (from {given.origin})")
    return Given(token, f"{given.origin}: {path}")


class _Parser(argparse.ArgumentParser):
    """argparse with our help, and with our errors instead of an exit."""

    def error(self, message: str) -> NoReturn:
        raise SettingError(f"{message} (from {COMMAND_LINE}); --help lists all flags")

    def format_help(self) -> str:
        return help_text.help_page()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pagehand", allow_abbrev=False, argument_default=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"pagehand {__version__}")
    parser.add_argument("--print-config", action="store_true")
    parser.add_argument("--config")
    parser.add_argument("--token-file")
    for name, item in _FIELDS.items():
        flag = help_text.flag(name)
        if item.type == "bool":
            parser.add_argument(flag, action=argparse.BooleanOptionalAction)
        else:
            parser.add_argument(flag, action="append" if _is_list(item) else "store")
    return parser


def _flags(argv: Sequence[str]) -> Layer:
    known, unknown = _parser().parse_known_args(argv)
    if unknown:
        name = unknown[0].split("=")[0]
        near = _suggestion(name, (*map(help_text.flag, _FIELDS), *_ONLY_FLAGS))
        kind = "flag" if name.startswith("-") else "argument"
        raise SettingError(f"unknown {kind} {name}{near}; --help lists all flags")
    return {name: _from_text(name, value, COMMAND_LINE) for name, value in vars(known).items()}


def _variables(environ: Mapping[str, str]) -> Layer:
    """The ``PAGEHAND_*`` variables; an empty one counts as not set, as is usual with containers."""
    names = {PREFIX + name.upper(): name for name in (*_FIELDS, "config", "token_file")}
    layer: Layer = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in FOREIGN:
            continue
        if variable not in names:
            raise SettingError(f"unknown variable {variable}{_suggestion(variable, names)}")
        if text:
            layer[names[variable]] = _from_text(names[variable], text, variable)
    return layer


def _file(config: Given) -> Layer:
    path = Path(str(config.value))
    try:
        table = tomllib.loads(text_of(path.read_bytes()))
    except OSError as error:
        raise SettingError(f"cannot read {path} (from {config.origin}): {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path} is not valid TOML: {error}") from None
    except ValueError as fault:
        raise SettingError(f"{path} {fault} (from {config.origin}): {AS_FILE}") from None
    names = (*_FIELDS, "token_file")
    for key in table:
        if key not in names:
            hint = "; settings stand at the top, not in tables" if isinstance(table[key], dict) else ""
            raise SettingError(f"unknown setting {key} in {path}{_suggestion(key, names)}{hint}")
    return {key: Given(value, str(path)) for key, value in table.items()}


def _from_text(name: str, text: Any, origin: str) -> Given:
    """Converts text to the setting's kind of value; leaves text that does not fit for the check to refuse."""
    item = _FIELDS.get(name)
    return Given(text if item is None or not isinstance(text, str) else _converted(item, text), origin)


def _converted(item: Field[Any], text: str) -> object:
    if item.type == "bool":
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
    if _is_list(item):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return int(text) if item.type == "int" else float(text) if item.type == "float" else text
    except ValueError:
        return text


def _is_list(item: Field[Any]) -> bool:
    return str(item.type).startswith("tuple")


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


if __name__ == "__main__":
    print(help_text.markdown() if "--markdown" in sys.argv else help_text.help_page(), end="")
