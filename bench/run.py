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
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # ``python bench/run.py`` puts only bench/ there.
    sys.path.insert(0, str(ROOT))

from bench import node, profiling, report, shares  # noqa: E402
from bench.database import Database, has_postgres, postgres  # noqa: E402
from bench.ratios import BESIDE  # noqa: E402
from bench.server import SERVER_LOG, Server, copy_store, floor, nodes, pagehand  # noqa: E402
from bench.variants import TEMPLATES, VARIANTS, Variant  # noqa: E402

_WARM_UP_S = 0.3


@dataclass(frozen=True)
class Side:
    """A version of Pagehand that is measured."""

    #: The suffix of a line's name.
    mark: str
    root: Path
    #: More flags of its server.
    flags: tuple[str, ...] = ()


@dataclass
class Plan:
    """How much to measure, and where."""

    rounds: int
    seconds: float
    #: Jobs queued before each run of a prefilled variant; a window ends when nearly all are done.
    jobs: int
    #: Jobs of each latency run, one at a time.
    latency_jobs: int
    directory: Path
    cores: tuple[int | None, int | None]
    sides: tuple[Side, ...]
    #: Where Node's engine.io is.
    npm: Path
    #: Idle pages of the line with many.
    pages: int
    #: One ping interval, so that each idle page is pinged once.
    idle_s: float
    #: How many jobs wait while claims are measured.
    sizes: tuple[int, ...]
    #: A rest between two jobs, in the lines that rest.
    rest_s: float
    #: The server of the lines on PostgreSQL, if one of them is measured.
    database: Database | None = None
    templates: dict[tuple[str, str], Path] = field(default_factory=dict)
    results: dict[str, list[dict[str, float]]] = field(default_factory=dict)


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    options = _parser().parse_args(argv)
    chosen = _chosen(options)
    SERVER_LOG.unlink(missing_ok=True)
    with _directory(options.dir) as directory, contextlib.ExitStack() as stack:
        plan = _plan(options, directory)
        if any(variant.server == "postgres" for variant in chosen):
            plan.database = stack.enter_context(postgres())
        if options.profile:
            return _profile(plan, chosen)
        for number in range(plan.rounds):
            _round(plan, number, [variant for variant in chosen if not (variant.once and number)])
        report.write(plan.results, _facts(plan, _asked(options)), options.out)
    return 0


def _chosen(options: argparse.Namespace) -> list[Variant]:
    """The lines that are asked for and can be measured here."""
    chosen = _asked(options)
    if not (ROOT / "server.py").exists():
        chosen = [variant for variant in chosen if variant.server != "pagehand"]
        print("bench: no server.py here, so only the floors are measured", file=sys.stderr)
    lacking = node.missing(options.npm, shutil.which("node"))
    if lacking and any(variant.server == "node" for variant in chosen):
        chosen = [variant for variant in chosen if variant.server != "node"]
        print(f"bench: the lines of Node's engine.io are left out: {lacking}", file=sys.stderr)
    if not has_postgres() and any(variant.server == "postgres" for variant in chosen):
        chosen = [variant for variant in chosen if variant.server != "postgres"]
        print("bench: the lines on PostgreSQL are left out: its programs are missing", file=sys.stderr)
    lacking = shares.lacking()
    if lacking and any(variant.share for variant in chosen):
        chosen = [variant for variant in chosen if not variant.share]
        print(f"bench: the lines of nodes with a share of a core are left out: {lacking}", file=sys.stderr)
    return chosen


def _asked(options: argparse.Namespace) -> list[Variant]:
    return [variant for variant in VARIANTS if not options.only or variant.name in options.only]


def _round(plan: Plan, number: int, chosen: Sequence[Variant]) -> None:
    """Measures each line once; of two versions, the first one alternates by round."""
    for variant in chosen:
        # A version beside this one may know no WebSockets.
        both = variant.server == "pagehand" and not variant.name.startswith("ws-")
        sides = plan.sides if both else plan.sides[:1]
        for side in reversed(sides) if number % 2 else sides:
            figures = _measure(plan, variant, side)
            plan.results.setdefault(variant.name + side.mark, []).append(figures)
            print(
                f"round {number + 1} of {plan.rounds}: {variant.name}{side.mark}: {report.one_line(figures)}",
                flush=True,
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="Measure Pagehand beside its floors.")
    parser.add_argument("--short", action="store_true", help="one quick round, to see that it runs")
    parser.add_argument("--rounds", type=int, help="how many rounds (3)")
    parser.add_argument("--seconds", type=float, help="length of each window (3)")
    parser.add_argument("--jobs", type=int, help="jobs queued before each run (40,000)")
    parser.add_argument("--dir", type=Path, help="where stores are made; must be on a real disk")
    parser.add_argument("--out", type=Path, default=ROOT / "bench", help="where last.json and last.md go")
    parser.add_argument("--profile", action="store_true", help="profile the server and print where time goes")
    parser.add_argument("--beside", type=Path, metavar="DIR", help="a checkout of another version, measured in turns")
    parser.add_argument("--tornado", action="store_true", help="the same with --front tornado, measured in turns")
    parser.add_argument("--pages", type=int, help="idle pages (2,000); 10,000 need 10,500 descriptors")
    parser.add_argument("--npm", type=Path, default=Path(), metavar="DIR", help="where npm has put Node's engine.io")
    names = [variant.name for variant in VARIANTS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    return parser


def _plan(options: argparse.Namespace, directory: Path) -> Plan:
    short = options.short
    seconds = options.seconds or (1.0 if short else 3.0)
    return Plan(
        rounds=options.rounds or (1 if short else 3),
        seconds=seconds,
        jobs=options.jobs or (6_000 if short else 40_000),
        latency_jobs=100 if short else 300,
        directory=directory,
        cores=_cores(),
        sides=_sides(options.beside, tornado=options.tornado),
        npm=options.npm,
        pages=options.pages or (100 if short else 2_000),
        idle_s=2 * seconds if short else 20.0,
        rest_s=0.02 if short else 0.25,
        sizes=(10, 1_000) if short else (10, 10_000, 1_000_000),
    )


def _sides(beside: Path | None, *, tornado: bool) -> tuple[Side, ...]:
    here = Side("", ROOT)
    if tornado:
        return here, Side(BESIDE, ROOT, ("--front", "tornado"))
    return (here, Side(BESIDE, beside.resolve())) if beside else (here,)


def _cores() -> tuple[int | None, int | None]:
    """One core for the server, another for the load; None if there are not enough."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


@contextlib.contextmanager
def _directory(wanted: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pagehand-bench-", dir=wanted) as name:
        yield Path(name)


def _template(plan: Plan, name: str, side: Side) -> Path:
    """A prepared store of that version."""
    if (name, side.mark) in plan.templates:
        return plan.templates[name, side.mark]
    store = Path(tempfile.mkdtemp(dir=plan.directory)) / "pagehand.db"
    with pagehand(store, core=plan.cores[0], root=side.root) as server:
        figures = _load(plan, server, {"jobs": plan.jobs, **TEMPLATES[name]})
    print(f"prepared the store {name}{side.mark}: {report.one_line(figures)}", flush=True)
    plan.templates[name, side.mark] = store
    return store


def _prepared(plan: Plan, database: Database, name: str) -> str:
    """The name of a prepared database. The first node makes it: one of another name would be missed in each run."""
    if (name, "postgres") not in plan.templates:
        made = database.fresh()
        with nodes(database.url(made), "a") as server:
            figures = _load(plan, server, {"jobs": plan.jobs, **TEMPLATES[name]})
        print(f"prepared the database {name}: {report.one_line(figures)}", flush=True)
        database.keep(made, name)
        plan.templates[name, "postgres"] = Path(name)
    return name


@contextlib.contextmanager
def _on_postgres(plan: Plan, variant: Variant, prefix: tuple[str, ...]) -> Iterator[Server]:
    database = plan.database
    assert database is not None
    name = database.fresh(_prepared(plan, database, variant.store)) if variant.store else database.fresh()
    told = {"url": database.url(name), "database": database.pid}
    if not variant.nodes:  # the load generator asks the database itself
        yield Server(0, 0, database=told)
        return
    with nodes(told["url"], "ab"[: variant.nodes], prefix=prefix, share=variant.share) as server:
        yield replace(server, database=told)


def _measure(plan: Plan, variant: Variant, side: Side) -> dict[str, float]:
    with _server(plan, variant, side) as server:
        return _load(plan, server, variant.load)


@contextlib.contextmanager
def _server(plan: Plan, variant: Variant, side: Side, prefix: tuple[str, ...] = ()) -> Iterator[Server]:
    if variant.server == "postgres":
        with _on_postgres(plan, variant, prefix) as server:
            yield server
        return
    if variant.server != "pagehand":
        with floor(variant.server, core=plan.cores[0], npm=plan.npm) as server:
            yield server
        return
    if variant.store:
        store = copy_store(_template(plan, variant.store, side), plan.directory / "run")
    else:
        store = Path(tempfile.mkdtemp(dir=plan.directory)) / "pagehand.db"
    flags = ("--sessions", str(plan.pages + 500), *side.flags)
    with pagehand(store, core=plan.cores[0], prefix=prefix, flags=flags, root=side.root) as server:
        yield server


def _load(plan: Plan, server: Server, orders: dict[str, Any]) -> dict[str, float]:
    """Run the load generator. Its windows of jobs end early when the prepared ones are nearly used up."""
    spec = {"jobs": plan.latency_jobs, "pages": plan.pages, "idle_s": plan.idle_s, "sizes": plan.sizes, **orders}
    all_nodes = (server, *server.others)
    spec |= {"port": server.port, "pid": server.pid, "pids": [one.pid for one in all_nodes if one.pid]}
    if server.database:
        # The farther pages alone, if a job is to cross nodes; and no core is anybody's own.
        spec |= {"pages_at": [one.port for one in all_nodes[bool(orders.get("across")) :]], **server.database}
    else:
        spec["core"] = plan.cores[1]
    spec |= {"seconds": plan.seconds, "warm_up_s": _WARM_UP_S}
    if orders["mode"] == "jobs":
        spec["limit"] = int(plan.jobs * 0.9)
    if orders.get("rests"):
        spec["rest_s"] = plan.rest_s
    if orders["mode"] == "bare":
        spec["jobs"] = 4 * plan.jobs
    command = [sys.executable, "-m", "bench.load", json.dumps(spec)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if ended.returncode:
        raise SystemExit(f"\nbench: the load generator failed:\n{ended.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def _profile(plan: Plan, chosen: Sequence[Variant]) -> int:
    for variant in chosen:
        if variant.server != "pagehand" and variant.nodes != 1:
            continue
        tool = profiling.tool(plan.directory / f"{variant.name}.profile", plan.seconds + 2)
        with _server(plan, variant, plan.sides[0], tool.prefix) as server:
            figures = _load(plan, server, variant.load)
        print(f"\n== {variant.name}: {report.one_line(figures)} under {tool.name}")
        print(tool.top())
    return 0


def _facts(plan: Plan, asked: Sequence[Variant]) -> dict[str, Any]:
    """The facts that the figures depend on."""
    with_node = any(variant.server == "node" for variant in asked)
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    return {
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "pages": plan.pages,
        "load_average": os.getloadavg(),
        "cpu": model,
        "cores": os.cpu_count(),
        "pinned": plan.cores[0] is not None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in ("tornado", "python-engineio", "msgspec")},
        "node_engineio": node.version(plan.npm) if with_node else "",
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
