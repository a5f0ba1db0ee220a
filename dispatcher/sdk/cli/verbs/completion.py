"""``completion``: the script that lets a shell complete commands and flags, made from the parsers themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..exits import CommandExit
from ..invocation import Invocation
from ..verb import Verb

__all__ = ["COMPLETION", "completions", "script"]

_STATES = "scheduled queued running in_doubt succeeded failed cancelled expired"
_SHELLS = ("bash", "zsh", "fish", "powershell")
_EXAMPLES = """\
examples:
  eval "$(pagehand completion bash)"
  pagehand completion fish | source
  pagehand completion powershell | Out-String | Invoke-Expression
"""


class Completions(NamedTuple):
    """What may be typed: each command with its words, and each flag that has a choice with that.

    ``before``: flags that may stand before the command, and have a value of their own.
    """

    commands: Mapping[str, list[str]]
    choices: Mapping[str, list[str]]
    before: list[str]


def completions(parser: argparse.ArgumentParser) -> Completions:
    """What may be typed."""
    commands: dict[str, list[str]] = {}
    choices: dict[str, list[str]] = {"--state": _STATES.split()}
    before = [flag for action in parser._actions if action.nargs is None for flag in action.option_strings]
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        for name, verb in action.choices.items():
            commands[name] = sorted(set(_words(verb)))
            for each in verb._actions:
                if each.choices and each.option_strings:
                    choices |= {flag: [str(choice) for choice in each.choices] for flag in each.option_strings}
    return Completions(commands, choices, before)


def _words(verb: argparse.ArgumentParser) -> Iterator[str]:
    for action in verb._actions:
        if action.option_strings:
            yield from action.option_strings
        elif action.choices:
            yield from map(str, action.choices)
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _words(inner)


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The script for a shell."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish, "powershell": _powershell}[shell](completions(parser))


def _verb(known: Completions, words: str) -> str:
    """Finds the verb among what was typed, in the language of bash and zsh."""
    return f"""\
  for word in {words}; do
    case "$skip$word" in
      {"|".join(known.before)}) skip="the value of ";;
      "the value of "*) skip="";;
      -*) ;;
      *) verb="$word"; break;;
    esac
  done"""


def _cases(known: Completions, found: str, indent: str) -> str:
    """The words for what stands before the cursor, in the language of bash and zsh."""
    lines = ['case "$before" in']
    lines += [f'  {flag}) {found}="{" ".join(values)}";;' for flag, values in known.choices.items()]
    lines += ["  *)", '    case "$verb" in', f'      "") {found}="{" ".join(known.commands)} --help --version";;']
    lines += [f'      {name}) {found}="{" ".join(words)}";;' for name, words in known.commands.items()]
    lines += ["    esac;;", "esac"]
    return "\n".join(indent + line for line in lines)


def _bash(known: Completions) -> str:
    return f"""\
# Completion of pagehand for bash. Put this into ~/.bashrc:  eval "$(pagehand completion bash)"
_pagehand() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" verb="" skip="" found="" word
{_verb(known, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
{_cases(known, "found", "  ")}
  COMPREPLY=($(compgen -W "$found" -- "$current"))
}}
complete -o default -F _pagehand pagehand"""


def _zsh(known: Completions) -> str:
    return f"""\
#compdef pagehand
# Completion of pagehand for zsh. Put this into ~/.zshrc, behind compinit:  eval "$(pagehand completion zsh)"
_pagehand() {{
  local before="${{words[CURRENT-1]}}" verb="" skip="" found="" word
{_verb(known, '"${(@)words[2,CURRENT-1]}"')}
{_cases(known, "found", "  ")}
  compadd -- ${{=found}}
  _files
}}
compdef _pagehand pagehand"""


def _fish(known: Completions) -> str:
    def cases(entries: Mapping[str, list[str]], indent: str) -> str:
        return "\n".join(
            f"{indent}case {name}; string split -- ' ' '{' '.join(each)}'" for name, each in entries.items()
        )

    return f"""\
# Completion of pagehand for fish. Put this into ~/.config/fish/config.fish:  pagehand completion fish | source
function __pagehand_found
  set -l typed (commandline -opc)
  set -l before $typed[-1]
  set -l verb ''
  set -l skip ''
  for word in $typed[2..-1]
    switch "$skip$word"
      case {" ".join(known.before)}; set skip 'the value of '
      case 'the value of *'; set skip ''
      case '-*'
      case '*'; set verb $word; break
    end
  end
  switch "$before"
{cases(known.choices, "    ")}
    case '*'
      switch "$verb"
{cases({"''": [*known.commands, "--help", "--version"], **known.commands}, "        ")}
      end
  end
end
complete -c pagehand -a '(__pagehand_found)'"""


def _powershell(known: Completions) -> str:
    def table(entries: Mapping[str, list[str]]) -> str:
        lines = (f"    '{name}' = @({', '.join(repr(word) for word in words)})" for name, words in entries.items())
        return "\n".join(lines)

    return f"""\
# Completion of pagehand for PowerShell. Put this into $PROFILE:
#   pagehand completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName pagehand -ScriptBlock {{
  param($word, $line, $cursor)
  $commands = [ordered]@{{
{table(known.commands)}
  }}
  $choices = @{{
{table(known.choices)}
  }}
  $typed = @($line.CommandElements | Where-Object {{ $_.Extent.EndOffset -lt $cursor }} | ForEach-Object {{ "$_" }})
  $before = $typed[-1]
  $verb = $null; $skip = $false
  foreach ($each in $typed | Select-Object -Skip 1) {{
    if ($skip) {{ $skip = $false }}
    elseif ($each -cin {", ".join(repr(flag) for flag in known.before)}) {{ $skip = $true }}
    elseif (-not $each.StartsWith('-')) {{ $verb = $each; break }}
  }}
  if ($choices.Contains($before)) {{ $found = $choices[$before] }}
  elseif ($verb) {{ $found = $commands[$verb] }}
  else {{ $found = @($commands.Keys) + '--help', '--version' }}
  $found | Where-Object {{ $_ -like "$word*" }} | ForEach-Object {{
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }}
}}"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS, help="which shell")


def _completion(call: Invocation) -> int:
    from ..program import make_parser  # which has this verb, too

    call.out.text(script(call.options.shell, make_parser()))
    return CommandExit.DONE


COMPLETION = Verb(
    "completion", "print a script that completes commands in your shell", _arguments, _completion, _EXAMPLES
)
