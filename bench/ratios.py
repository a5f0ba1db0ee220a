"""Ratios within one run: many idle pages to few, 1,000 types to one, with to without something, version to version."""

from __future__ import annotations

import statistics
from collections.abc import Callable

__all__ = ["BESIDE", "CLAIMS", "IDLE", "tables"]

#: Marks the lines of the version that is measured beside this one.
BESIDE = " (beside)"
Runs = dict[str, list[dict[str, float]]]
#: What the idle lines measure, and the goal.
IDLE = {
    "fill_ms": ("register all of them, server CPU ms a page", ""),
    "register_ms": ("register one more, server CPU ms a page", "<= 1.2 x"),
    "same_ms": ("one job of the idle pages' type, median ms", "<= 1.2 x"),
    "other_ms": ("one job of another type, median ms", "<= 1.2 x"),
    "intake_us": ("intake, server CPU µs a job", "<= 2 x"),
    "intake_per_s": ("intake, jobs/s", ">= 0.5 x"),
    "home_loop_ms": ("GET /, ms of the loop", "<= 20 ms"),
    "workers_loop_ms": ("GET /workers, ms of the loop", "<= 20 ms"),
    "api_workers_loop_ms": ("GET /api/v1/workers, ms of the loop", "<= 20 ms"),
    "stats_loop_ms": ("GET /api/v1/stats, ms of the loop", "<= 20 ms"),
    "idle_share": ("idle, share of a core", ""),
    "page_kb": ("memory, kB a page", ""),
}

#: Two lines, whose rates and CPU for one are compared, and the goal of the rates' ratio.
_RATES = (
    ("jobs, slots 16, quick, one node on PostgreSQL to the file", "pg-slots16-quick", "slots16-quick", ">= 0.7"),
    ("the same, two nodes with 16 pages each to one", "pg-two-slots16-full", "pg-slots16-quick", ">= 1.5"),
    ("the same, each node with 0.4 of a core, two to one", "pg-two-slots16-share", "pg-slots16-share", ">= 1.5"),
    ("the same, two nodes that share the 16 pages, to one", "pg-two-slots16-quick", "pg-slots16-quick", ""),
    ("the same, one node to the bare loop on PostgreSQL", "pg-slots16-quick", "pg-bare", ""),
    ("WebSocket slots 1 to polling, quick", "ws-slots1-quick", "slots1-quick", ">= 1.5"),
    ("WebSocket slots 1 to polling, accepted", "ws-slots1-accepted", "slots1-accepted", ">= 1.5"),
    ("jobs, slots 1, quick, to python-engineio's echo, polling", "slots1-quick", "engineio", ">= 3.3"),
    ("jobs, slots 1, quick, to python-engineio's echo, WebSocket", "ws-slots1-quick", "ws-engineio", ""),
    ("jobs, slots 1, quick, to the echo of Node's engine.io, polling", "slots1-quick", "node-engineio", ""),
    ("jobs, slots 1, quick, to the echo of Node's engine.io, WebSocket", "ws-slots1-quick", "ws-node-engineio", ""),
    ("echo of the transport to python-engineio's, polling", "echo", "engineio", ""),
    ("echo of the transport to python-engineio's, WebSocket", "ws-echo", "ws-engineio", ""),
    ("echo of the transport to that of Node's engine.io, polling", "echo", "node-engineio", ""),
    ("echo of the transport to that of Node's engine.io, WebSocket", "ws-echo", "ws-node-engineio", ""),
)
#: What claims cost on PostgreSQL: the goal is that it does not grow.
CLAIMS = {
    "turn_ms": "a turn that takes in, claims and ends 8 jobs, median ms",
    "blocks": "blocks that the database touches, for each job",
    "rows": "rows that it touches, for each job",
    "log_bytes": "bytes of its log (WAL), for each job",
}
#: What idle pages cost by each transport, and the goal.
TRANSPORTS = {
    "idle_share": ("share of a core", "<= 0.12 by polling, <= 0.06 by WebSocket"),
    "page_kb": ("memory, kB a page", "<= 8"),
    "fill_ms": ("register all of them, server CPU ms a page", "<= 0.4 x the version beside, by polling"),
    "same_ms": ("one job of their type, median ms", ""),
}


def tables(runs: Runs) -> str:
    """Markdown with the ratios of these runs."""
    lines = ["| ratio | this | beside | goal |", "|---|---:|---:|---|"]
    for slots in (1, 16):
        lines += _row(f"1,000 types to one, slots {slots}, CPU a job", _types(slots), runs, "<= 1.3")
    for what, name, base, goal in _RATES:
        lines += _rate_row(what, name, base, runs, goal)
    for name, what in (("pg-two-latency-quick", "one job after the other"), ("pg-two-latency-rested", "four a second")):
        lines += _row(f"{what}, from one node to a page of another, median ms", _median(name), runs, "<= 15")
    for name, how in (("steady", "polling"), ("ws-steady", "WebSocket")):
        lines += _row(f"jobs at a steady rate beside idle pages to alone, p99, {how}", _steady(name), runs, "<= 1.5")
    lines += _row("one job beside a lister of a rare filter to alone", _rare, runs, "<= 2")
    parts = ["\n".join(lines)] if len(lines) > 2 else []
    return "\n\n".join(
        [*parts, *_claims_table(runs), *_idle_tables(runs), *_transports_table(runs), *_beside_table(runs)]
    )


def _row(what: str, of: Callable[[Runs, str], float | None], runs: Runs, goal: str) -> list[str]:
    this, beside = of(runs, ""), of(runs, BESIDE)
    if this is None:
        return []
    return [f"| {what} | {this:.2f} | {'' if beside is None else f'{beside:.2f}'} | {goal} |"]


def _types(slots: int) -> Callable[[Runs, str], float | None]:
    return lambda runs, mark: _to(runs, f"types1000-slots{slots}{mark}", f"slots{slots}-quick{mark}", _cpu_us)


def _rate_row(what: str, name: str, base: str, runs: Runs, goal: str) -> list[str]:
    cells = []
    for mark in ("", BESIDE):
        # Floors are measured once for both versions.
        under = base + mark if base + mark in runs else base
        ratios = [_to(runs, name + mark, under, of) for of in (_per_s, _cpu_us)]
        cells.append(", ".join(f"{ratio:.2f}" for ratio in ratios if ratio is not None))
    return [f"| {what}: rate, CPU for one | {cells[0]} | {cells[1]} | {goal} |"] if cells[0] else []


def _steady(name: str) -> Callable[[Runs, str], float | None]:
    def ratio(runs: Runs, mark: str) -> float | None:
        found = runs.get(f"{name}{mark}")
        return statistics.median(run["beside_p99_ms"] / run["alone_p99_ms"] for run in found) if found else None

    return ratio


def _median(name: str) -> Callable[[Runs, str], float | None]:
    def median(runs: Runs, mark: str) -> float | None:
        found = runs.get(f"{name}{mark}")
        return statistics.median(map(_median_ms, found)) if found else None

    return median


def _rare(runs: Runs, mark: str) -> float | None:
    found = runs.get(f"rare{mark}")
    return statistics.median(run["beside_ms"] / run["alone_ms"] for run in found) if found else None


def _claims_table(runs: Runs) -> list[str]:
    """What claims cost on PostgreSQL while few and many jobs wait."""
    if "pg-claims" not in runs:
        return []
    figures = _medians(runs["pg-claims"])
    sizes = sorted(int(name.removeprefix("blocks_")) for name in figures if name.startswith("blocks_"))
    lines = [f"| jobs that wait | {' | '.join(f'{size:,}' for size in sizes)} |", "|---|" + "---:|" * len(sizes)]
    for name, what in CLAIMS.items():
        cells = (f"{figures[f'{name}_{size}']:,.1f}" for size in sizes)
        lines.append(" | ".join([f"| {what}", *cells]) + " |")
    return ["\n".join(lines)]


def _idle_tables(runs: Runs) -> list[str]:
    return [
        _idle_table(runs, mark) for mark in ("", BESIDE) if f"idle-few{mark}" in runs and f"idle-many{mark}" in runs
    ]


def _idle_table(runs: Runs, mark: str) -> str:
    few, many = (_medians(runs[f"idle-{name}{mark}"]) for name in ("few", "many"))
    lines = [f"| beside idle pages{mark} | 10 | many | ratio | goal |", "|---|---:|---:|---:|---|"]
    for name, (what, goal) in IDLE.items():
        ratio = f"{many[name] / few[name]:.2f}" if few[name] else ""
        lines.append(f"| {what} | {few[name]:,.3g} | {many[name]:,.3g} | {ratio} | {goal} |")
    return "\n".join(lines)


def _transports_table(runs: Runs) -> list[str]:
    """What idle pages cost by polling, by WebSocket, and by polling in the version beside this one."""
    names = {"idle-many": "polling", "ws-idle-many": "WebSocket", f"idle-many{BESIDE}": f"polling{BESIDE}"}
    found = {how: _medians(runs[name]) for name, how in names.items() if name in runs}
    if "WebSocket" not in found:
        return []
    lines = [f"| many idle pages | {' | '.join(found)} | goal |", "|---|" + "---:|" * len(found) + "---|"]
    for key, (what, goal) in TRANSPORTS.items():
        lines.append(" | ".join([f"| {what}", *(f"{figures[key]:,.3g}" for figures in found.values()), f"{goal} |"]))
    return ["\n".join(lines)]


def _beside_table(runs: Runs) -> list[str]:
    """This version to the other: medians of the rounds' ratios."""
    names = [name for name in runs if f"{name}{BESIDE}" in runs and not name.startswith(("idle", "steady"))]
    lines = ["| this to the version beside it | rate | CPU for one | median ms |", "|---|---:|---:|---:|"]
    for name in names:
        ratios = [_to(runs, name, name + BESIDE, of) for of in (_per_s, _cpu_us, _median_ms)]
        cells = ["" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return ["\n".join(lines)] if names else []


def _to(runs: Runs, name: str, base: str, of: Callable[[dict[str, float]], float]) -> float | None:
    """The median over the rounds of one line's figure divided by another's in the same round."""
    pairs = list(zip(runs.get(name, []), runs.get(base, []), strict=False))
    ratios = [of(one) / of(other) for one, other in pairs if of(other)]
    return statistics.median(ratios) if ratios else None


def _per_s(run: dict[str, float]) -> float:
    return run["count"] / run["seconds"]


def _cpu_us(run: dict[str, float]) -> float:
    return 1e6 * run["server_cpu_s"] / max(run["count"], 1)


def _median_ms(run: dict[str, float]) -> float:
    return run.get("p50_ms", run.get("alone_ms", 0.0))


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}
