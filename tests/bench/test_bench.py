"""The benchmarks run; what they measure is not judged here: a machine that runs tests is no place to measure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.report import summarise, table

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
def test_each_kind_of_benchmark_runs(tmp_path):
    names = ["bare", "engineio", "slots1-accepted", "slots16-quick", "intake", "latency-quick"]
    options = ["--short", "--seconds", "0.3", "--jobs", "1500", "--dir", str(tmp_path), "--out", str(tmp_path)]
    command = [sys.executable, "-m", "bench", *options, "--only", *names]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    medians = json.loads((tmp_path / "last.json").read_text())["medians"]
    assert sorted(medians) == sorted(names)
    assert medians["latency-quick"]["p50_ms"] > 0


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
