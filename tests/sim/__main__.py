"""``python -m tests.sim --seed N`` replays one seed with a trace; ``--long STEPS`` runs seed after seed."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time

from tests.sim.knobs import Knobs
from tests.sim.seasons import over_years
from tests.sim.totals import run_until, say
from tests.sim.world import run


def replay(seed: int, quiet: bool, years: bool, polling: bool) -> int:
    knobs = over_years(seed) if years else Knobs.draw(random.Random(f"knobs of {seed}"))
    outcome = run(seed, knobs=knobs.by_polling() if polling else knobs, trace=None if quiet else print)
    print(f"seed {seed}: {outcome.steps} steps, {outcome.virtual_s:.0f} s of virtual time")
    print(f"faults: {outcome.faults}")
    print(f"counts: {dict(outcome.counts)}")
    print(f"jobs: {dict(outcome.states)}, executions: {outcome.executions}, repeated: {dict(outcome.repeated)}")
    print(f"violation: {outcome.violation}")
    return outcome.violation is not None


def long_run(first: int, steps: int, years: bool) -> int:
    begun = time.monotonic()
    total = run_until(first, steps, say, years=years)
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
    parser.add_argument("--years", action="store_true", help="all is switched off for hours to months, now and then")
    parser.add_argument("--polling", action="store_true", help="with --seed: no page uses a socket")
    options = parser.parse_args()
    if options.long:
        return long_run(options.seed, options.long, options.years)
    return replay(options.seed, options.quiet, options.years, options.polling)


if __name__ == "__main__":
    sys.exit(main())
