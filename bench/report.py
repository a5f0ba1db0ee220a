"""Turns figures into a table, a JSON file and a piece of Markdown."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from bench import ratios
from bench.ratios import BESIDE

_TITLES = {
    "bare": "floor: bare Tornado RequestHandler, GET+POST pairs",
    "engineio": "python-engineio on Tornado, echo, async_handlers=False",
    "engineio-default": "python-engineio on Tornado, echo, defaults",
    "ws-engineio": "python-engineio on Tornado, echo by WebSocket",
    "node-engineio": "Node's engine.io, echo",
    "ws-node-engineio": "Node's engine.io, echo by WebSocket",
    "echo": "Pagehand's transport alone, echo",
    "ws-echo": "Pagehand's transport alone, echo by WebSocket",
    "slots1-quick": "jobs, 16 workers, slots 1, quick",
    "slots1-accepted": "jobs, 16 workers, slots 1, accepted",
    "slots16-quick": "jobs, 16 workers, slots 16, quick",
    "slots16-accepted": "jobs, 16 workers, slots 16, accepted",
    "ws-slots1-quick": "jobs on WebSockets, 16 workers, slots 1, quick",
    "ws-slots1-accepted": "jobs on WebSockets, 16 workers, slots 1, accepted",
    "pg-bare": "a bare loop on PostgreSQL: claims and finishes, 64 jobs in a turn",
    "pg-slots1-quick": "jobs on PostgreSQL, one node, 16 workers, slots 1, quick",
    "pg-slots16-quick": "jobs on PostgreSQL, one node, 16 workers, slots 16, quick",
    "pg-two-slots16-quick": "jobs on PostgreSQL, two nodes, 16 workers, slots 16, quick",
    "pg-two-slots16-full": "jobs on PostgreSQL, two nodes, 16 workers at each, slots 16, quick",
    "pg-intake": "intake on PostgreSQL, one node, POST /api/v1/jobs, 16 connections",
    "pg-latency-quick": "one job at a time on PostgreSQL, quick, one node",
    "pg-slots16-share": "jobs on PostgreSQL, one node with 0.4 of a core, 16 workers, slots 16, quick",
    "pg-two-slots16-share": "jobs on PostgreSQL, two nodes with 0.4 of a core each, 16 workers each, slots 16, quick",
    "pg-two-latency-quick": "one job at a time on PostgreSQL, quick, from one node to a page of another",
    "pg-latency-rested": "a job each quarter of a second on PostgreSQL, quick, one node",
    "pg-two-latency-rested": "a job each quarter of a second on PostgreSQL, quick, from one node to a page of another",
    "intake": "intake, POST /api/v1/jobs, 16 connections",
    "latency-quick": "one job at a time, quick",
    "latency-accepted": "one job at a time, accepted",
    "types1000-slots1": "jobs of 1,000 types, 16 workers, slots 1, quick",
    "types1000-slots16": "jobs of 1,000 types, 16 workers, slots 16, quick",
    "batch": "intake in batches of 1,000, 2 connections",
}

_DISTURBED = "*"
#: Lines that do not load the server fully.
_RESTING = ("latency", "pg-", "rare", "idle", "ws-idle", "steady", "ws-steady")
#: A server that gets less of its core than this, with load waiting, shares it with others.
_SATURATED = 0.85


def one_line(figures: dict[str, float]) -> str:
    """One run."""
    row = measured(figures)
    line = f"{row['per_s']:,.0f}/s, server {row['server_us']:,.0f} µs each"
    line += f", database {row['database_us']:,.0f}" if "database_us" in row else ""
    line += f" ({row['server_share']:.0%} of its core), load {row['load_share']:.0%}"
    extra = [f"{name} {value:,.2f}" for name, value in row.items() if name not in _USUAL]
    if extra:
        return ", ".join(extra)
    if "p50_ms" in row:
        line += f"; p50 {row['p50_ms']:.2f} ms, p99 {row['p99_ms']:.2f} ms"
    return line


def measured(figures: dict[str, float]) -> dict[str, float]:
    count, seconds = max(figures["count"], 1), figures["seconds"]
    row = {
        "per_s": figures["count"] / seconds,
        "server_us": figures["server_cpu_s"] / count * 1e6,
        "server_share": figures["server_cpu_s"] / seconds,
        "load_share": figures["load_cpu_s"] / seconds,
    }
    if "database_cpu_s" in figures:
        row["database_us"] = figures["database_cpu_s"] / count * 1e6
    return row | {name: value for name, value in figures.items() if name not in _COUNTED}


_COUNTED = {"count", "seconds", "server_cpu_s", "load_cpu_s", "database_cpu_s"}
_USUAL = {"per_s", "server_us", "database_us", "server_share", "load_share", "p50_ms", "p90_ms", "p99_ms"}


def summarise(results: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Medians over the rounds, and ratios to the floors' medians."""
    rows = {}
    for name, runs in results.items():
        each = [measured(run) for run in runs]
        rows[name] = {key: statistics.median(run[key] for run in each) for key in each[0]}
    for floor in ("bare", "engineio"):
        for name, row in rows.items():
            if floor in rows and not name.startswith(_RESTING):
                row[f"x_{floor}"] = row["per_s"] / rows[floor]["per_s"]
                row[f"cpu_{floor}"] = row["server_us"] / rows[floor]["server_us"]
    return rows


def table(rows: dict[str, dict[str, float]]) -> str:
    """A Markdown table, readable as text; empty if no line belongs in it."""
    if all(title(name) == name for name in rows):
        return ""
    lines = [
        "| what | per second | server CPU µs each | server / load % of a core | rate, CPU to bare "
        "| rate, CPU to engineio | p50 / p99 ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        if title(name) == name:
            continue
        ratios = [_ratio(row, floor) for floor in ("bare", "engineio")]
        latency = f"{row['p50_ms']:.2f} / {row['p99_ms']:.2f}" if "p50_ms" in row else ""
        shares = f"{100 * row['server_share']:.0f}{_disturbed(name, row)} / {100 * row['load_share']:.0f}"
        cpu = f"{row['server_us']:,.0f}" + (f" + {row['database_us']:,.0f}" if "database_us" in row else "")
        cells = [title(name), f"{row['per_s']:,.0f}", cpu, shares, *ratios, latency]
        lines.append("| " + " | ".join(cells) + " |")
    if any(_disturbed(name, row) for name, row in rows.items()):
        lines.append(f"\n{_DISTURBED} The server did not get its core to itself: rates are too low, CPU holds.")
    return "\n".join(lines)


def title(name: str) -> str:
    """A line's title; its name, if it is not in the table of rates."""
    plain = name.removesuffix(BESIDE)
    return _TITLES[plain] + name[len(plain) :] if plain in _TITLES else name


def _ratio(row: dict[str, float], floor: str) -> str:
    return f"{row[f'x_{floor}']:.2f}, {row[f'cpu_{floor}']:.2f}" if f"x_{floor}" in row else ""


def _disturbed(name: str, row: dict[str, float]) -> str:
    """A mark for a server that was neither at its limit nor meant to rest; something else used its core."""
    saturating = not name.startswith(_RESTING)
    return _DISTURBED if saturating and row["server_share"] < _SATURATED and row["load_share"] < _SATURATED else ""


def write(results: dict[str, list[dict[str, float]]], facts: dict[str, Any], directory: Path) -> None:
    """Print the table; write it to ``last.md`` and all figures to ``last.json``."""
    path = directory / "last.json"
    rows = summarise(results)
    head = f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}, Python {facts['python']}"
    head += f"; fdatasync {facts['fsync_ms']} ms; medians of {facts['rounds']} rounds of {facts['seconds']:g} s"
    load = ", ".join(f"{number:.1f}" for number in facts["load_average"])
    head += f"; Node's engine.io: {facts['node_engineio']}" if facts["node_engineio"] else ""
    head += f"; {facts['pages']:,} idle pages; load average at the end {load}"
    text = "\n\n".join(part for part in (table(rows), ratios.tables(results), f"{head}.\n") if part)
    path.write_text(json.dumps({"facts": facts, "medians": rows, "runs": results}, indent=1) + "\n")
    path.with_suffix(".md").write_text(text)
    print(f"\n{text}\nwritten to last.json and last.md in {directory.name}/")
