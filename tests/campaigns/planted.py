"""Bugs planted on purpose in copies of the program: how many of them the tests find. Reads ``tests.planted``.

The other campaigns look for what is wrong; this one asks whether the tests would see it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.campaigns.record import Control, Figure, Measure, Record, Skipped, run
from tests.support.places import ROOT

FORMS = {"short": "the bugs of the protocol", "default": "all bugs", "long": "all bugs"}
ARGUMENTS = {"short": ["--area", "protocol"], "default": [], "long": []}


def record_of(totals: dict[str, Any]) -> Record:
    """What the hunt's totals say."""
    planted, areas = totals["planted"], totals["areas"]
    return Record(
        campaign="planted",
        figures=[
            Figure("planted bugs that no test found", planted - totals["found"], planted, "bugs", exhaustive=True)
        ],
        measures=[
            *(Measure(f"found in the {area}", area_of["found"], f"of {area_of['planted']} bugs")
              for area, area_of in areas.items()),
            Measure("the slowest find", totals["slowest_s"], "s"),
        ],
        controls=[Control("no bug", 0, planted, "bugs' tests, in a copy without one", must_fail=False,
                          why="a hunt that finds something there is given up")],
        violations=[f"not found: {name}" for name in totals["not_found"]],
    )  # fmt: skip


def play(form: str, seed: int) -> Record:
    """The hunt; nothing in it is drawn by chance."""
    command = [sys.executable, "-m", "tests.planted", "--json", "--jobs", "2", *ARGUMENTS[form]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise Skipped(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the hunt ended without words")
    return record_of(json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(run("planted", FORMS, play, None))
