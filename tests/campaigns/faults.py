"""The catalogue of faults as a campaign: every test that injects one, and what came of it; then the controls.

A control plants a fault into a copy of the program, as text, and runs there the tests that must notice it: at least
one of them must fail. A text that is not in the source any more is an error: plant it anew where its code has gone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.campaigns.record import Control, FaultRow, Figure, Record, run
from tests.faults.catalogue import FAULTS, NOT_INJECTED, id_of, injected
from tests.support.places import ROOT

__all__ = ["PLANTED", "Outcome", "control", "inject", "play", "rows", "unplantable"]

FORMS = {
    "short": "faults of submitters only (F), one control",
    "default": "every fault, in the tests' short form",
    "long": "every fault, in the tests' long form (PAGEHAND_FAULTS=long)",
}
#: Of a whole run of pytest.
PATIENCE_S = {"short": 600, "default": 3_600, "long": 4 * 3_600}


class Plant(NamedTuple):
    """A fault of the program: this text instead of that one, and the faults whose tests must notice."""

    file: str
    old: str
    new: str
    noticed_by: tuple[str, ...]


PLANTED = {
    "idempotency keys are not looked up": Plant(
        "dispatcher/store/applier/turn.py",
        "frozenset(spec.key for spec in turn.submissions if spec.key is not None)",
        "frozenset()",
        ("F01", "F02"),
    ),
    "acknowledged before it is durable": Plant(
        "dispatcher/store/sqlite/store.py",
        '        self._db.execute("BEGIN IMMEDIATE")\n'
        "        report = self._written(turn)\n"
        '        self._db.execute("COMMIT")\n',
        "        if self._db.in_transaction:\n"
        '            self._db.execute("COMMIT")\n'
        '        self._db.execute("BEGIN IMMEDIATE")\n'
        "        report = self._written(turn)\n",
        ("A01", "A03", "A05"),
    ),
    "the fence is off: any attempt may end its job": Plant(
        "dispatcher/core/jobs/ledger.py", "current = job.attempt == attempt.id", "current = True", ("E14",)
    ),
    "a body is judged when it has been read": Plant(
        "handlers/rules.py", "if length > self.limit:", "if False:", ("F04",)
    ),
    "the queue has no bound": Plant(
        "dispatcher/store/applier/admission.py", "held.jobs + len(batch) > limits.queue_depth", "False", ("F07",)
    ),
    "durations follow the wall clock": Plant(
        "dispatcher/clock.py", "staticmethod(time.monotonic)", "staticmethod(time.time)", ("G01",)
    ),
    "what is due by the wall clock is looked for by the other one": Plant(
        "dispatcher/node/service.py",
        "self._turns.next_due_at <= self._clock.utc()",
        "self._turns.next_due_at <= self._clock.monotonic()",
        ("G02",),
    ),
    "the loop writes the log": Plant(
        "dispatcher/config/logs.py", "LogWriter(sys.stderr.fileno()) if", "logging.StreamHandler() if", ("G06",)
    ),
    "the reserve has the rights that the umask leaves": Plant(
        "dispatcher/store/sqlite/space.py", "os.O_TRUNC, 0o600)", "os.O_TRUNC, 0o666)", ("G07",)
    ),
}
#: What an ordinary run of the tests plants.
SHORT = ("idempotency keys are not looked up",)


@dataclass
class Outcome:
    """What pytest said of the tests of one fault."""

    passed: int = 0
    red: int = 0
    skipped: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """``as it must``; ``not run``, where all its tests were skipped; ``RED``."""
        return "RED" if self.red else "as it must" if self.passed else "not run"


def inject(root: Path, faults: Iterable[str], *, long: bool = False, patience_s: float = 600) -> dict[str, Outcome]:
    """Runs the tests of these faults in the tree at ``root``; what came of each."""
    wanted = set(faults)
    files = {
        f"tests/{test.partition('::')[0]}"
        for fault, tests in injected(root / "tests").items()
        for test in tests
        if fault in wanted
    }
    if not files:
        return {}
    names = " or ".join(f"test_fault_{fault}_" for fault in sorted(wanted))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", "-k", names]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PAGEHAND_", "PYTEST_"))}
        environ |= {"PYTHONDONTWRITEBYTECODE": "1"} | ({"PAGEHAND_FAULTS": "long"} if long else {})
        done = subprocess.run(
            [*command, f"--basetemp={folder}/tmp", f"--junitxml={report}", *sorted(files)],
            cwd=root, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience_s,
            check=False,
        )  # fmt: skip
        assert report.exists(), done.stdout + done.stderr
        return outcomes(report)


def outcomes(report: Path) -> dict[str, Outcome]:
    """By fault, from a report in JUnit's form. A test that is both run and not torn down well is red."""
    found: dict[str, Outcome] = defaultdict(Outcome)
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "")
        fault = id_of(name)
        if fault is None:
            continue
        wrong = [each for each in case if each.tag in ("failure", "error")]
        if wrong:
            found[fault].red += 1
            found[fault].words.append(f"{fault}: {name}: {wrong[0].get('message', '')[:200]}")
        elif any(each.tag == "skipped" for each in case):
            found[fault].skipped += 1
        else:
            found[fault].passed += 1
    return dict(found)


def unplantable() -> list[str]:
    """Plants whose text does not stand in the source exactly once."""
    return [name for name, plant in PLANTED.items() if _count(ROOT, plant) != 1]


def _count(root: Path, plant: Plant) -> int:
    return (root / plant.file).read_text(encoding="utf-8").count(plant.old)


def control(name: str) -> Control:
    """Plants this in a copy, and counts the tests that fail there, of those that must notice."""
    plant = PLANTED[name]
    with tempfile.TemporaryDirectory(prefix="pagehand-planted-") as folder:
        copy = Path(folder) / "copy"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "bench")
        shutil.copytree(ROOT, copy, ignore=ignored)
        assert _count(copy, plant) == 1, f"{name!r}: its text does not stand in {plant.file} once: plant it anew"
        path = copy / plant.file
        path.write_text(path.read_text(encoding="utf-8").replace(plant.old, plant.new), encoding="utf-8")
        seen = inject(copy, plant.noticed_by, patience_s=1_200)
    red = sum(outcome.red for outcome in seen.values())
    return Control(name, red, red + sum(outcome.passed for outcome in seen.values()), "tests")


def rows(seen: dict[str, Outcome], faults: Sequence[str]) -> list[FaultRow]:
    """The table: each fault, what must come of it and what came."""
    return [
        FaultRow(
            id=fault,
            what=FAULTS[fault].what,
            expected=FAULTS[fault].expected,
            tests=seen[fault].passed + seen[fault].red if fault in seen else 0,
            verdict=seen[fault].verdict if fault in seen else f"not injected: {NOT_INJECTED.get(fault, 'no test yet')}",
        )
        for fault in faults
    ]


def play(form: str, seed: int) -> Record:
    """The campaign and its controls. Nothing in it is drawn by lot but what the tests draw themselves."""
    faults = [fault for fault in FAULTS if form != "short" or fault[0] == "F"]
    seen = inject(ROOT, faults, long=form == "long", patience_s=PATIENCE_S[form])
    red = [fault for fault in faults if fault in seen and seen[fault].red]
    not_run = [fault for fault in faults if fault in seen and seen[fault].verdict == "not run"]
    missing = [fault for fault in faults if fault not in seen and fault not in NOT_INJECTED]
    skipped = sum(outcome.skipped for outcome in seen.values())
    tests = sum(outcome.passed + outcome.red for outcome in seen.values())
    return Record(
        campaign="faults",
        figures=[
            Figure("injected, and the outcome is another", len(red), len(seen), "faults injected", "all", True),
            Figure("neither injected nor with a reason", len(missing), len(faults), "faults listed", "all", True),
            Figure("not injected on this machine", len(not_run), len(seen), "faults that have tests", "all", True),
        ],
        controls=[control(name) for name in (SHORT if form == "short" else PLANTED)],
        notes=[
            f"{FORMS[form]}: {tests} tests inject {len(seen)} of {len(faults)} faults. {skipped} more were skipped on "
            "this machine.",
        ],
        violations=[words for fault in red for words in seen[fault].words],
        faults=rows(seen, faults),
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("faults", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
