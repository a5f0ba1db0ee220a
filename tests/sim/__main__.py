"""``python -m tests.sim --seed N`` replays one seed with a trace; ``--long STEPS`` runs seed after seed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

from tests.sim.knobs import Knobs, of_one
from tests.sim.seasons import over_years
from tests.sim.several.knobs import of_several
from tests.sim.totals import run_until, say
from tests.sim.world import run


def replay(seed: int, draw: Callable[[int], Knobs], quiet: bool, polling: bool) -> int:
    knobs = draw(seed)
    outcome = run(seed, knobs=knobs.by_polling() if polling else knobs, trace=None if quiet else print)
    print(f"seed {seed}: {outcome.steps} steps, {outcome.virtual_s:.0f} s of virtual time")
    print(f"faults: {outcome.faults}")
    print(f"counts: {dict(outcome.counts)}")
    print(f"jobs: {dict(outcome.states)}, executions: {outcome.executions}, repeated: {dict(outcome.repeated)}")
    print(f"violation: {outcome.violation}")
    return outcome.violation is not None


def long_run(first: int, steps: int, draw: Callable[[int], Knobs]) -> int:
    begun = time.monotonic()
    total = run_until(first, steps, say, draw=draw)
    real_s = time.monotonic() - begun
    summary = {
        "steps": total.steps, "seeds": total.seeds, "first_seed": first, "virtual_s": round(total.virtual_s),
        "real_s": round(real_s, 1), "steps_per_s": round(total.steps / real_s),
        "violations": total.violations, "jobs": total.counts["jobs"], "job_states": dict(total.states),
        "executions": total.executions, "repeated_executions_by_cause": dict(total.repeated),
        "happened": dict(sorted(total.counts.items())), "seeds_with_fault": dict(sorted(total.faults.items())),
    }  # fmt: skip
    print(json.dumps(summary, indent=2))
    return bool(total.violations)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the seed, or the first of a long run")
    parser.add_argument("--quiet", action="store_true", help="no trace")
    parser.add_argument("--long", type=int, metavar="STEPS", help="runs seeds until this many steps are done")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--years", action="store_true", help="all is switched off for hours to months, now and then")
    kinds.add_argument("--nodes", action="store_true", help="two to five nodes share a database")
    parser.add_argument("--polling", action="store_true", help="with --seed: no page uses a socket")
    options = parser.parse_args()
    draw = over_years if options.years else of_several if options.nodes else of_one
    if options.long:
        return long_run(options.seed, options.long, draw)
    return replay(options.seed, draw, options.quiet, options.polling)


if __name__ == "__main__":
    sys.exit(main())
