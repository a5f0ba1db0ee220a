"""Hunts planted bugs and prints a table: the bug, which test found it, how fast.

``python -m tests.planted`` hunts all; with names, these; ``--area store``, those of an area; ``--json``, the totals
and the finds as JSON instead of the table. Exits with 1 when a bug was not found, with 2 when that could not be
told: a bug whose text is not in the source any more, or tests that fail without any bug (the control).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.planted.bug import Misfit, misfits
from tests.planted.hunt import AREAS, Find, HuntFailed, bugs, control, hunt


def summary(finds: list[Find], control_s: float, seconds: float) -> dict[str, object]:
    """Totals, areas and finds, as plain values."""
    areas = {
        area: {"planted": len(own), "found": sum(find.test is not None for find in own)}
        for area in AREAS
        if (own := [find for find in finds if find.area == area])
    }
    return {
        "planted": len(finds),
        "found": sum(find.test is not None for find in finds),
        "areas": areas,
        "not_found": [find.name for find in finds if find.test is None],
        "control": "nothing is found where nothing is planted",
        "control_s": control_s,
        "seconds": round(seconds, 1),
        "slowest_s": max(find.seconds for find in finds),
        "bugs": [find._asdict() for find in finds],
    }


def _line(find: Find) -> str:
    return f"{find.area:<8}  {find.name:<78}  {find.seconds:>5.1f} s  {find.test or 'NOT FOUND'}"


def _hunted(names: list[str], jobs: int, quiet: bool) -> dict[str, object]:
    begun = time.monotonic()
    control_s = control(names)
    finds = []
    with ThreadPoolExecutor(jobs) as pool:
        for find in pool.map(hunt, names):
            finds.append(find)
            if not quiet:
                print(_line(find), flush=True)
    return summary(finds, control_s, time.monotonic() - begun)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", help="bugs by name (default: all)")
    parser.add_argument("--area", choices=AREAS, help="only the bugs of this area")
    parser.add_argument("--json", action="store_true", help="a summary as JSON instead of the table")
    parser.add_argument("--jobs", type=int, default=1, help="hunts at the same time (default: 1)")
    options = parser.parse_args(arguments)
    known = AREAS[options.area] if options.area else bugs()
    unknown = set(options.names) - set(known)
    if unknown:
        parser.error(f"no such bug: {', '.join(sorted(unknown))}")
    names = options.names or list(known)
    try:
        if wrong := misfits({name: known[name] for name in names}):
            raise Misfit("\n".join(wrong))
        totals = _hunted(names, options.jobs, options.json)
    except (Misfit, HuntFailed) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(totals, indent=2) if options.json else _words(totals))
    return int(totals["found"] != totals["planted"])


def _words(totals: dict[str, object]) -> str:
    areas = totals["areas"]
    assert isinstance(areas, dict)
    each = ", ".join(f"{area} {count['found']} of {count['planted']}" for area, count in areas.items())
    return (
        f"{totals['found']} of {totals['planted']} found ({each}) in {totals['seconds']} s, the slowest in "
        f"{totals['slowest_s']} s; {totals['control']} ({totals['control_s']} s)"
    )


if __name__ == "__main__":
    sys.exit(main())
