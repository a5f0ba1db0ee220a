"""The dashboard and the alert rules name metrics, labels and values that a server has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector

from dispatcher import errors
from dispatcher.core.jobs.states import JobState
from dispatcher.transport.counts import Counts
from handlers.measures.families import families
from tests.support.house import House, run_one
from tests.support.jobs import spec
from tests.support.places import ROOT

FILES = ("dashboard.json", "alerts.yml")
#: A metric of ours or of the process, and its selector.
_USED = re.compile(r"\b((?:pagehand|process)_[a-z_]+)(\{[^}]*\})?")
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
#: What each value of a label may be; ``instance`` and ``job`` come from Prometheus.
VALUES = {
    "state": {str(state) for state in JobState},
    "event": set(Counts.__dataclass_fields__),
    "status": {"500", "[45].."},
    "code": {error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")},
    "instance": {"$instance"},
}


def texts(name: str) -> list[str]:
    """The queries of a file."""
    text = (ROOT / "docs/monitoring" / name).read_text("utf-8")
    if name.endswith(".json"):
        panels = json.loads(text)["panels"]
        return [target["expr"] for panel in panels for target in panel["targets"]]
    return re.findall(r"^ +expr: (.*(?:\n {10,}.*)*)", text, re.M)


def used(query: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for name, selector in _USED.findall(query):
        yield name, _MATCHER.findall(selector)


async def labels_of_a_busy_server() -> dict[str, set[str]]:
    """The labels of each metric, after a job that was done, one that was cancelled and a refused request."""
    house = await House().start()
    await house.register("s1", "echo")
    await house.dispatcher.submit(spec("echo"))
    await run_one(house)
    found: dict[str, set[str]] = {}
    for family in families(await house.dispatcher.measures(), {(404, "not_found"): 1}):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    await house.dispatcher.close()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return found | {sample.name: set() for family in registry.collect() for sample in family.samples}


@pytest.mark.gen_test
@pytest.mark.parametrize("name", FILES)
async def test_each_metric_label_and_value_that_a_file_names_is_one_that_a_server_has(name: str) -> None:
    known = await labels_of_a_busy_server()
    queries = texts(name)
    assert len(queries) >= 9
    for query in queries:
        found = list(used(query))
        assert found or query.startswith("up{"), query
        for metric, matchers in found:
            assert metric in known, f"{metric} in {query}"
            for label, value in matchers:
                assert label == "instance" or label in known[metric], f"{label} of {metric}"
                assert set(value.split("|")) <= VALUES[label], f"{label}={value} in {query}"
        for label in re.findall(r"by \(([^)]+)\)", query):
            names = {word.strip() for word in label.split(",")} - {"instance", "le"}
            assert any(names <= known[metric] for metric, _ in found), query


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    text = (ROOT / "docs/monitoring/alerts.yml").read_text("utf-8")
    alerts = re.split(r"\n +- alert: ", text)[1:]
    assert len(alerts) == len(texts("alerts.yml")) >= 9
    for alert in alerts:
        assert re.search(r'^ +summary: ".+[.:]', alert, re.M), alert
        assert re.search(r'^ +action: ".+\."', alert, re.M), alert
