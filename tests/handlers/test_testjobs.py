"""The jobs with which workers can be tested."""

from __future__ import annotations

from pathlib import Path

from handlers.testjobs import tasks_with_example
from handlers.worker.tasks import TaskDirectory


def test_only_tasks_with_an_example_are_for_tests_and_the_harmless_one_comes_first(tmp_path: Path) -> None:
    for name, head in (("a", '{"example": 1}'), ("echo", '{"example": {}}'), ("own", '{"title": "none"}')):
        (tmp_path / f"{name}.js").write_text(f"// pagehand: {head}\n")
    assert [task.name for task in tasks_with_example(TaskDirectory(tmp_path))] == ["echo", "a"]
