"""What a campaign found, as JSON: the only source of ``docs/reliability.md`` (see ``reliability.py``).

A zero without its denominator says nothing, and so does a checker that never fails: each figure has an ``of``, and
each campaign has negative controls, in which a planted fault must be seen.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.places import ROOT

__all__ = [
    "RECORDS",
    "ROOT",
    "Control",
    "FaultRow",
    "Figure",
    "Measure",
    "Record",
    "Skipped",
    "options",
    "run",
]

#: Where records lie.
RECORDS = ROOT / "docs" / "reliability"
#: A change in these makes a figure one of another program.
_PROGRAM = ("dispatcher", "handlers", "server.py", "static")


class Skipped(Exception):
    """This machine cannot run the campaign; the words say why. Never counted as passed."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that must not happen, and how often it could have."""

    what: str
    count: int
    of: int
    #: What ``of`` counts.
    unit: str
    #: The promises and invariants that it is about.
    promise: str = ""
    #: ``of`` is all there are, not a sample: the rule of three does not apply.
    exhaustive: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that was measured, and what it should be."""

    what: str
    value: float
    unit: str
    #: At most this; None: shown, not judged.
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """A planted fault: the campaign must see it (or, where ``must_fail`` is False, must see nothing, and why)."""

    what: str
    #: How many violations the checker saw.
    count: int
    of: int
    unit: str
    must_fail: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """A fault of the catalogue, and what came of it."""

    id: str
    what: str
    expected: str
    #: How many tests have injected it.
    tests: int
    verdict: str


@dataclass(slots=True)
class Record:
    """One run of a campaign."""

    campaign: str
    figures: list[Figure] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[FaultRow] = field(default_factory=list)
    #: Words about each violation, the first ones.
    violations: list[str] = field(default_factory=list)
    seed: int = 0
    form: str = ""
    command: str = ""
    duration_s: float = 0.0
    date: str = ""
    commit: str = ""
    machine: str = ""

    def verdict(self) -> list[str]:
        """What is not as promised; empty: all is."""
        wrong = [f"{figure.what}: {figure.count} of {figure.of}" for figure in self.figures if figure.count]
        wrong += [f"{figure.what}: nothing was looked at" for figure in self.figures if not figure.of]
        wrong += [
            f"{measure.what}: {measure.value:g} {measure.unit}, at most {measure.most:g}"
            for measure in self.measures
            if measure.most is not None and measure.value > measure.most
        ]
        wrong += [
            f"control {control.what!r}: {control.count} violations of {control.of} {control.unit}"
            for control in self.controls
            if bool(control.count) != control.must_fail
        ]
        return wrong + self.violations[:10]

    def written(self) -> str:
        """As it stands in docs/reliability/."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def options(campaign: str, forms: dict[str, str]) -> argparse.ArgumentParser:
    """The command line that all campaigns have; ``forms`` says what each form does."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.campaigns.{campaign}")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_const", const="short", dest="form", help=forms["short"])
    size.add_argument("--long", action="store_const", const="long", dest="form", help=forms["long"])
    parser.set_defaults(form="default")
    parser.epilog = f"Without either: {forms['default']}."
    parser.add_argument("--seed", type=int, help="repeats the random choices of a run")
    parser.add_argument("--record", action="store_true", help="write docs/reliability/NAME.json")
    return parser


def run(campaign: str, forms: dict[str, str], play: Callable[[str, int], Record], argv: Sequence[str] | None) -> int:
    """Plays a campaign from the command line. Returns the exit status: 0 kept, 1 broken, 3 not run here."""
    arguments = options(campaign, forms).parse_args(argv)
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 32)
    print(f"{campaign}: {forms[arguments.form]}; seed {seed}", flush=True)
    try:
        record = played(campaign, arguments.form, seed, play)
    except Skipped as reason:
        print(f"{campaign}: NOT RUN here: {reason}")
        return 3
    wrong = record.verdict()
    if arguments.record:
        RECORDS.mkdir(exist_ok=True)
        (RECORDS / f"{campaign}.json").write_text(record.written(), encoding="utf-8")
    print(record.written(), end="")
    print(f"{campaign}: " + ("as promised" if not wrong else "BROKEN: " + "; ".join(wrong)))
    return 1 if wrong else 0


def played(campaign: str, form: str, seed: int, play: Callable[[str, int], Record]) -> Record:
    """The record of one run, with all that says where it comes from. Raises Skipped."""
    commit, began = _commit(), time.monotonic()
    record = play(form, seed)
    flag = {"default": ""}.get(form, f" --{form}")
    record.campaign, record.form, record.seed = campaign, form, seed
    record.command = f"make campaign-{campaign} ARGS='{flag.strip()}{' ' if flag else ''}--seed {seed}'"
    record.duration_s = round(time.monotonic() - began, 1)
    record.date = datetime.now(UTC).strftime("%Y-%m-%d")
    record.commit, record.machine = commit, _machine()
    return record


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return f"{commit} with changes" if git("status", "--porcelain", "--", *_PROGRAM) else commit


def _machine() -> str:
    model = platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return (
        f"{os.cpu_count()} cores of {model}, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    )
