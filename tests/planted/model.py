"""Runs the model test alone, quickly, without shrinking: exits with 1 and the reason when it finds something.

``python -m tests.planted.model [examples]``; ``hunt`` runs it in copies of the program.
"""

from __future__ import annotations

import sys
import traceback

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.core.model.test_model import Node


def main(examples: int) -> int:
    quick = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Node, settings=quick)
    except BaseException as error:  # noqa: BLE001 - any error is a find
        print("found:", traceback.format_exception_only(error)[0].strip())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 400))
