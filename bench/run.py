"""The benchmarks: ``make bench``, or ``python bench/run.py [--short]``. README.md beside it says what is measured.

Rounds of short windows, one variant after the other in each round, so that a disturbance hits all of them; figures
are medians over the rounds. The server runs on one core, the load generator on another.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # ``python bench/run.py`` puts only bench/ there.
    sys.path.insert(0, str(ROOT))

from bench import profiling, report  # noqa: E402
from bench.server import Server, copy_store, floor, pagehand  # noqa: E402

_WARM_UP_S = 0.3


@dataclass(frozen=True)
class Variant:
    """One line of the table."""

    name: str
    #: What is measured: ``pagehand`` or a kind of ``floors.py``.
    server: str
    #: The load generator's orders.
    load: dict[str, Any]
    #: Whether the server starts with a store full of queued jobs.
    prefilled: bool = False


_JOBS = {"mode": "jobs", "workers": 16}
VARIANTS = (
    Variant("bare", "bare", {"mode": "pairs", "workers": 16}),
    Variant("engineio", "engineio", {"mode": "echo", "workers": 16}),
    Variant("engineio-default", "engineio-default", {"mode": "echo", "workers": 16}),
    Variant("slots1-quick", "pagehand", {**_JOBS, "slots": 1, "quick": True}, prefilled=True),
    Variant("slots1-accepted", "pagehand", {**_JOBS, "slots": 1, "quick": False}, prefilled=True),
    Variant("slots16-quick", "pagehand", {**_JOBS, "slots": 16, "quick": True}, prefilled=True),
    Variant("slots16-accepted", "pagehand", {**_JOBS, "slots": 16, "quick": False}, prefilled=True),
    Variant("intake", "pagehand", {"mode": "intake", "workers": 16}),
    Variant("latency-quick", "pagehand", {"mode": "latency", "workers": 1, "slots": 1, "quick": True}),
    Variant("latency-accepted", "pagehand", {"mode": "latency", "workers": 1, "slots": 1, "quick": False}),
)


@dataclass
class Plan:
    """How much to measure, and where."""

    rounds: int
    seconds: float
    #: Queued before each run of a prefilled variant; a window ends when nearly all are done.
    jobs: int
    #: One at a time, in each latency run.
    latency_jobs: int
    directory: Path
    cores: tuple[int | None, int | None]
    results: dict[str, list[dict[str, float]]] = field(default_factory=dict)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    options = _parser().parse_args(argv)
    chosen = [variant for variant in VARIANTS if not options.only or variant.name in options.only]
    if not (ROOT / "server.py").exists():
        chosen = [variant for variant in chosen if variant.server != "pagehand"]
        print("bench: no server.py here, so only the floors are measured", file=sys.stderr)
    with _directory(options.dir) as directory:
        plan = _plan(options, directory)
        template = _prefill(plan) if any(variant.prefilled for variant in chosen) else None
        if options.profile:
            return _profile(plan, chosen, template)
        for number in range(plan.rounds):
            for variant in chosen:
                print(f"round {number + 1} of {plan.rounds}: {variant.name} ... ", end="", flush=True)
                figures = _measure(plan, variant, template)
                plan.results.setdefault(variant.name, []).append(figures)
                print(report.one_line(figures))
        report.write(plan.results, _facts(plan), options.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="Measure Pagehand beside its floors.")
    parser.add_argument("--short", action="store_true", help="one quick round, to see that it runs")
    parser.add_argument("--rounds", type=int, help="how many rounds (3)")
    parser.add_argument("--seconds", type=float, help="length of each window (3)")
    parser.add_argument("--jobs", type=int, help="jobs queued before each run (40,000)")
    parser.add_argument("--dir", type=Path, help="where stores are made; must be on a real disk")
    parser.add_argument("--out", type=Path, default=ROOT / "bench", help="where last.json and last.md go")
    parser.add_argument("--profile", action="store_true", help="profile the server and print where time goes")
    names = [variant.name for variant in VARIANTS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    return parser


def _plan(options: argparse.Namespace, directory: Path) -> Plan:
    short = options.short
    return Plan(
        rounds=options.rounds or (1 if short else 3),
        seconds=options.seconds or (1.0 if short else 3.0),
        jobs=options.jobs or (6_000 if short else 40_000),
        latency_jobs=100 if short else 300,
        directory=directory,
        cores=_cores(),
    )


def _cores() -> tuple[int | None, int | None]:
    """One core for the server, another for the load; None where that cannot be had."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


@contextlib.contextmanager
def _directory(wanted: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pagehand-bench-", dir=wanted) as name:
        yield Path(name)


def _prefill(plan: Plan) -> Path:
    """A store with queued jobs, made once through the API and copied for each run."""
    store = plan.directory / "prefilled" / "pagehand.db"
    store.parent.mkdir()
    print(f"submitting {plan.jobs} jobs to prepare a store ... ", end="", flush=True)
    with pagehand(store, core=plan.cores[0]) as server:
        figures = _load(plan, server, {"mode": "prefill", "workers": 16, "jobs": plan.jobs})
    print(report.one_line(figures))
    return store


def _measure(plan: Plan, variant: Variant, template: Path | None) -> dict[str, float]:
    with _server(plan, variant, template) as server:
        return _load(plan, server, variant.load, prefilled=variant.prefilled)


@contextlib.contextmanager
def _server(plan: Plan, variant: Variant, template: Path | None, prefix: tuple[str, ...] = ()) -> Iterator[Server]:
    if variant.server != "pagehand":
        with floor(variant.server, core=plan.cores[0]) as server:
            yield server
        return
    if variant.prefilled and template is not None:
        store = copy_store(template, plan.directory / "run")
    else:
        store = Path(tempfile.mkdtemp(dir=plan.directory)) / "pagehand.db"
    with pagehand(store, core=plan.cores[0], prefix=prefix) as server:
        yield server


def _load(plan: Plan, server: Server, orders: dict[str, Any], *, prefilled: bool = False) -> dict[str, float]:
    """Run the load generator. Its windows end early when the prepared jobs are nearly used up."""
    spec = {"jobs": plan.latency_jobs, **orders, "port": server.port, "pid": server.pid, "core": plan.cores[1]}
    spec |= {"seconds": plan.seconds, "warm_up_s": _WARM_UP_S}
    if prefilled:
        spec["limit"] = int(plan.jobs * 0.9)
    command = [sys.executable, "-m", "bench.load", json.dumps(spec)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if ended.returncode:
        raise SystemExit(f"\nbench: the load generator failed:\n{ended.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def _profile(plan: Plan, chosen: Sequence[Variant], template: Path | None) -> int:
    for variant in chosen:
        if variant.server != "pagehand":
            continue
        tool = profiling.tool(plan.directory / f"{variant.name}.profile", plan.seconds + 2)
        with _server(plan, variant, template, tool.prefix) as server:
            figures = _load(plan, server, variant.load, prefilled=variant.prefilled)
        print(f"\n== {variant.name}: {report.one_line(figures)} under {tool.name}")
        print(tool.top())
    return 0


def _facts(plan: Plan) -> dict[str, Any]:
    """What the figures depend on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    return {
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "cpu": model,
        "cores": os.cpu_count(),
        "pinned": plan.cores[0] is not None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in ("tornado", "python-engineio", "msgspec")},
        "store": "SQLite, WAL, synchronous=FULL",
        "fsync_ms": round(1000 * _fsync_s(plan.directory), 3),
    }


def _fsync_s(directory: Path) -> float:
    """The median of 50 fdatasyncs of 4 kB, where the stores lie."""
    import time

    times = []
    with (directory / "fsync").open("wb") as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno()) if hasattr(os, "fdatasync") else os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
