"""The benchmarks run. Their figures are not judged here: a machine that runs tests is no place to measure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.database import has_postgres
from bench.kept import looks
from bench.ratios import BESIDE, CLAIMS, IDLE, tables
from bench.report import one_line, summarise, table
from bench.shares import lacking, share_of_a_core
from bench.variants import TEMPLATES, VARIANTS
from tests.support.missing import missing
from tests.support.places import ROOT


def _bench(directory: Path, names: Sequence[str], *more: str) -> tuple[dict[str, dict[str, float]], str]:
    """The medians of these lines, and all that was printed."""
    options = ["--short", "--seconds", "0.3", "--jobs", "6000", "--dir", str(directory), "--out", str(directory)]
    command = [sys.executable, "-m", "bench", *options, *more, "--only", *names]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads((directory / "last.json").read_text())["medians"], ended.stdout + ended.stderr


@pytest.mark.slow
def test_each_kind_of_benchmark_runs(tmp_path):
    names = ["bare", "engineio", "slots1-accepted", "slots16-quick", "intake", "latency-quick"]
    medians, _ = _bench(tmp_path, names)
    assert sorted(medians) == sorted(names)
    assert medians["latency-quick"]["p50_ms"] > 0


@pytest.mark.slow
def test_the_lines_of_websockets_run_beside_those_of_polling(tmp_path):
    names = ["slots1-quick", "slots1-accepted", "ws-slots1-quick", "ws-slots1-accepted"]
    medians, printed = _bench(tmp_path, names)
    assert all(medians[name]["per_s"] > 0 for name in names)
    assert "WebSocket slots 1 to polling, accepted: rate" in printed


@pytest.mark.slow
def test_echoes_run_by_polling_and_by_websocket_and_it_is_said_that_node_s_are_missing(tmp_path):
    names = ["engineio", "ws-engineio", "echo", "ws-echo"]
    medians, printed = _bench(tmp_path, [*names, "node-engineio", "ws-node-engineio"], "--npm", str(tmp_path))
    assert sorted(medians) == sorted(names)
    assert all(medians[name]["per_s"] > 0 for name in names)
    assert "the lines of Node's engine.io are left out" in printed
    assert "Node's engine.io: not measured" in printed
    assert "echo of the transport to python-engineio's, WebSocket: rate" in printed


@pytest.mark.slow
def test_few_and_many_idle_pages_and_jobs_beside_them_run_by_polling_and_by_websocket(tmp_path):
    names = ["idle-few", "idle-many", "ws-idle-many", "steady", "ws-steady"]
    medians, printed = _bench(tmp_path, names, "--pages", "30")
    assert sorted(medians) == sorted(names)
    assert all(medians[name]["register_ms"] > 0 for name in names[:3])
    assert all(medians[name]["beside_p99_ms"] >= medians[name]["beside_p50_ms"] > 0 for name in names[3:])
    assert "| many idle pages | polling | WebSocket | goal |" in printed
    assert "beside idle pages to alone, p99, WebSocket" in printed


@pytest.mark.slow
def test_the_lines_of_types_batches_and_a_rare_filter_run_beside_another_version(tmp_path):
    names = ["slots1-quick", "types1000-slots1", "batch", "rare"]
    medians, _ = _bench(tmp_path, names, "--beside", str(ROOT))
    assert set(medians) == {name + mark for name in names for mark in ("", BESIDE)}
    assert medians["rare"]["beside_ms"] > 0


@pytest.mark.slow
def test_the_lines_on_postgresql_run_with_one_node_and_with_two_beside_the_file_and_a_bare_loop(tmp_path):
    if not has_postgres():
        missing("needs PostgreSQL's programs (Debian: apt-get install postgresql)")
    shared = [] if lacking() else ["pg-two-slots16-share"]
    names = ["slots16-quick", "pg-bare", "pg-slots16-quick", "pg-two-slots16-full", *shared]
    names += ["pg-two-latency-quick", "pg-latency-rested", "pg-claims"]
    medians, printed = _bench(tmp_path, names)
    assert sorted(medians) == sorted(names)
    assert all(medians[name]["database_us"] > 0 for name in names[1:])
    assert "the same, two nodes with 16 pages each to one: rate, CPU for one |" in printed
    assert "| jobs that wait | 10 | 1,000 |" in printed


def test_a_share_of_a_core_bounds_a_process_or_it_is_said_why_none_can_be_given():
    if lacking():
        assert "no control group can be made" in lacking()
        return
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with share_of_a_core(busy.pid, 0.4):
            group = next(Path("/sys/fs/cgroup").rglob(f"pagehand-{busy.pid}"))
            limits = [file.read_text() for file in group.glob("cpu.*") if file.name in {"cpu.max", "cpu.cfs_quota_us"}]
            assert limits
            assert all(limit.split()[0] == "4000" for limit in limits)
            assert (group / "cgroup.procs").read_text().split() == [str(busy.pid)]
        assert not group.exists()
    finally:
        busy.kill()
        busy.wait()


def test_each_line_starts_with_a_store_that_is_known_and_few_lines_take_long():
    assert {variant.store for variant in VARIANTS} == {"", *TEMPLATES}
    once = [
        "pg-latency-rested",
        "pg-two-latency-rested",
        "pg-claims",
        "idle-few",
        "idle-many",
        "ws-idle-many",
        "steady",
        "ws-steady",
    ]
    assert [variant.name for variant in VARIANTS if variant.once] == once


def _run(count: float, seconds: float, cpu_s: float) -> dict[str, float]:
    return {"count": count, "seconds": seconds, "server_cpu_s": cpu_s, "load_cpu_s": 0.1}


def test_figures_are_medians_and_ratios_to_the_floor():
    runs = {"bare": [_run(100, 1, 1.0)], "intake": [_run(n, 1, 1.0) for n in (50, 200, 10)]}
    rows = summarise(runs)
    assert rows["intake"]["per_s"] == 50
    assert rows["intake"]["x_bare"] == 0.5
    assert rows["intake"]["cpu_bare"] == 2.0
    assert rows["intake"]["server_us"] == 20_000


def test_a_disturbed_run_is_marked():
    assert "*" not in table(summarise({"bare": [_run(100, 1, 0.99)]}))
    assert "*" in table(summarise({"bare": [_run(100, 1, 0.5)]}))


def test_ratios_are_medians_of_the_ratios_of_each_round():
    runs = {
        "slots1-quick": [_run(1000, 1, 0.5), _run(1000, 1, 0.8)],
        "types1000-slots1": [_run(1000, 1, 0.6), _run(1000, 1, 0.8)],
        "slots1-quick" + BESIDE: [_run(500, 1, 0.5), _run(500, 1, 0.8)],
        "rare": [_run(60, 1, 0.1) | {"alone_ms": 2.0, "beside_ms": 3.0}],
    }
    text = tables(runs)
    assert "| 1,000 types to one, slots 1, CPU a job | 1.10 |  | <= 1.3 |" in text
    assert "| one job beside a lister of a rare filter to alone | 1.50 |  | <= 2 |" in text
    assert "| slots1-quick | 2.00 | 0.50 |  |" in text


def test_rates_of_both_versions_are_compared_with_the_one_run_of_a_floor():
    runs = {"slots1-quick": [_run(300, 1, 1.0)], "slots1-quick" + BESIDE: [_run(150, 1, 1.0)]}
    text = tables(runs | {"engineio": [_run(100, 1, 1.0)]})
    assert "to python-engineio's echo, polling: rate, CPU for one | 3.00, 0.33 | 1.50, 0.67 | >= 3.3 |" in text


def test_what_a_database_takes_stands_beside_what_its_nodes_take():
    runs = {"pg-slots16-quick": [_run(100, 1, 0.002) | {"database_cpu_s": 0.001}]}
    assert "| 100 | 20 + 10 |" in table(summarise(runs))
    assert "server 20 µs each, database 10 (" in one_line(runs["pg-slots16-quick"][0])


def test_one_node_on_postgresql_is_compared_with_the_file_and_two_nodes_with_one():
    runs = {"slots16-quick": [_run(1000, 1, 0.5)], "pg-slots16-quick": [_run(700, 1, 0.5)]}
    text = tables(runs | {"pg-two-slots16-full": [_run(1050, 1, 0.5)]})
    assert "one node on PostgreSQL to the file: rate, CPU for one | 0.70, 1.43 |  | >= 0.7 |" in text
    assert "the same, two nodes with 16 pages each to one: rate, CPU for one | 1.50, 0.67 |  | >= 1.5 |" in text


def test_a_job_that_crosses_nodes_is_shown_by_its_median():
    runs = [_run(60, 1, 0.1) | {"p50_ms": value} for value in (12.0, 14.0, 30.0)]
    assert "from one node to a page of another, median ms | 14.00 |  | <= 15 |" in tables(
        {"pg-two-latency-quick": runs}
    )


def test_what_claims_cost_is_shown_for_each_number_of_jobs_that_wait():
    figures = {f"{name}_{size}": float(size) for name in CLAIMS for size in (1_000, 10)}
    text = tables({"pg-claims": [_run(1, 1, 0.1) | figures]})
    assert "| jobs that wait | 10 | 1,000 |" in text
    assert text.count("| 10.0 | 1,000.0 |") == len(CLAIMS)


def test_what_idle_pages_cost_by_websocket_stands_beside_polling():
    both, beside = (dict.fromkeys(IDLE, value) for value in (2.0, 3.0))
    names = ["idle-many", "ws-idle-many", "idle-many" + BESIDE]
    text = tables(dict(zip(names, ([both], [both], [beside]), strict=True)))
    assert "| memory, kB a page | 2 | 2 | 3 | <= 8 |" in text
    assert tables({"idle-many": [both]}) == ""


def test_a_steady_rate_beside_idle_pages_is_compared_by_its_99th_of_100():
    runs = [_run(60, 1, 0.1) | {"alone_p99_ms": 2.0, "beside_p99_ms": value} for value in (3.0, 2.5, 4.0)]
    assert "| jobs at a steady rate beside idle pages to alone, p99, polling | 1.50 |  | <= 1.5 |" in tables(
        {"steady": runs}
    )


def test_many_idle_pages_are_compared_with_few():
    few, many = (dict.fromkeys(IDLE, value) for value in (2.0, 3.0))
    text = tables({"idle-few": [few], "idle-many": [many]})
    assert text.count("| 2 | 3 | 1.50 |") == len(IDLE)
    assert BESIDE not in text


def test_figures_of_a_line_s_own_stand_in_its_line():
    figures = _run(60, 1, 0.1) | {"alone_ms": 2.0, "beside_ms": 3.0}
    assert one_line(figures) == "alone_ms 2.00, beside_ms 3.00"
    assert "rare" not in table(summarise({"rare": [figures]}))


@pytest.mark.slow
def test_followers_that_come_and_go_see_each_change_once_and_in_order():
    command = [sys.executable, "-m", "bench.followers", "--followers", "30", "--seconds", "1", "--leave", "2"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(ended.stdout.splitlines()) == 4


@pytest.mark.slow
def test_looks_at_a_store_with_many_jobs_are_measured():
    command = [
        sys.executable,
        "-m",
        "bench.kept",
        "--jobs",
        "2000",
        "--times",
        "2",
        "--consoles",
        "3",
        "--seconds",
        "1",
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line.startswith("| ")]
    assert len(lines) == 1 + len(looks("a-job", "a-worker"))
    assert ended.stdout.splitlines()[-1].startswith("3 open consoles: ")


@pytest.mark.slow
def test_an_order_over_many_jobs_is_measured_beside_jobs_that_run():
    command = [sys.executable, "-m", "bench.orders", "--jobs", "80000", "--rounds", "1", "--seconds", "1"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert ended.returncode in (0, 1), "1: so few jobs say nothing of the goal\n" + ended.stdout + ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in lines[1:]] == ["none", "begins", "acts"], ended.stdout + ended.stderr
