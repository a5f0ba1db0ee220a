"""``completion``: bash is asked itself; the scripts of shells that are not here have the same words."""

from __future__ import annotations

import subprocess

import pytest

from dispatcher.sdk.cli.program import GROUPS, PROGRAMS
from tests.sdk.cli.typed import typed

COMMANDS = [*PROGRAMS, *(verb.name for group in GROUPS for verb in group.verbs)]


def completed(*words: str) -> list[str]:
    """What bash offers for the last word."""
    script = typed("completion", "bash").out
    line = " ".join(f"'{word}'" for word in words)
    asked = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _pagehand; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", script + asked], capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.split()


def test_bash_completes_commands_flags_and_choices() -> None:
    assert completed("pagehand", "") == [*PROGRAMS, *COMMANDS[len(PROGRAMS) :], "--help", "--version"]
    assert completed("pagehand", "re") == ["result", "retry", "restore-check"]
    assert completed("pagehand", "submit", "--ma") == ["--max-attempts", "--max-crashes"]
    assert completed("pagehand", "list", "-o", "") == ["json", "table", "id"]
    assert completed("pagehand", "list", "--state", "s") == ["scheduled", "succeeded"]
    assert completed("pagehand", "completion", "z") == ["zsh"]
    assert completed("pagehand", "submit", "--data", "@") == []
    assert completed("pagehand", "--url", "jobs.example", "-q", "-o", "json", "wat") == ["watch"]
    assert completed("pagehand", "--url", "list", "can") == ["cancel"]
    assert completed("pagehand", "--token", "t", "cancel", "--rea") == ["--reason"]


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_each_shell_gets_the_same_words(shell: str) -> None:
    text = typed("completion", shell).out
    assert [name for name in COMMANDS if name not in text] == []
    for flag in ("--max-attempts", "--free-key", "--no-wait", "--any-worker"):
        assert flag in text
    assert text.count("{") == text.count("}")
