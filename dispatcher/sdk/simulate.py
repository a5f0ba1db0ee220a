"""``pagehand simulate``: runs simulated worker pages against a server, with faults on request.

It serves to try a server without a browser, to make load, and to test (``from pagehand.simulate import Farm``). Its
pages speak the whole worker protocol over real HTTP; see ``simulator/``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Sequence

from .cli.exits import printed
from .load import Submitters
from .simulator.driver import Reconnect
from .simulator.farm import TRANSPORTS, Farm
from .simulator.faults import Faults
from .simulator.journal import Execution, Outcome

__all__ = ["Execution", "Farm", "Faults", "Outcome", "Reconnect", "add_arguments", "main", "run"]

#: How many entries of each list an endless farm keeps in memory.
_KEEP = 10_000
_TYPES = "echo,word-count"
#: The most labels of a page.
_LABELS = 20
_MOST_PER_S = 1_000
_EXAMPLES = """\
examples:
  pagehand simulate --workers 10 --types print-label,ocr --slow-ms 200:2000
  pagehand simulate --workers 0 --types ocr --submit 5/s --seconds 60
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="pagehand simulate",
        description="Run simulated worker pages.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return run(parser.parse_args(argv))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``pagehand simulate``."""
    url = os.environ.get("PAGEHAND_URL", "http://127.0.0.1:8888")
    token = os.environ.get("PAGEHAND_TOKEN")
    add = parser.add_argument
    add("--url", default=url, help="address of the server (PAGEHAND_URL, %(default)s)")
    add("--token", default=token, help="the server's token, if it has one (PAGEHAND_TOKEN)")
    add("--workers", type=_none_or_more, default=4, metavar="N", help="how many pages (%(default)s); 0 with --submit")
    add("--slots", type=_count, default=1, metavar="K", help="jobs a page may hold at once (%(default)s)")
    add("--types", type=_names, default=_TYPES, metavar="A,B", help="types they offer (%(default)s)")
    add("--name-prefix", default="sim", metavar="NAME", help="pages are called NAME-1, NAME-2, ...")
    add(
        "--label",
        type=_label,
        action="append",
        default=[],
        dest="labels",
        metavar="NAME:VALUE",
        help="a label of the pages, such as site:berlin; may be repeated",
    )
    add("--transport", choices=TRANSPORTS, default="polling", help="how pages connect; both: every second one each")
    add("--quick", action="store_true", help="tasks start without an accept and send only their result")
    add("--submit", type=_rate, metavar="RATE", help="also submit jobs of these types: 5/s, 90/min or 10/h")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--seconds", type=float, metavar="S", help="stop after S seconds")
    end.add_argument("--jobs", type=_count, metavar="J", help="stop after J recorded reports")
    add("--seed", type=int, help="makes the drawn faults repeatable; pages of two runs are never one worker")
    add("--json-summary", action="store_true", help="print one JSON object at the end")
    _add_faults(parser.add_argument_group("faults (P is a share, 0 to 1)"))


def _add_faults(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--slow-ms", type=_span, default="0:0", metavar="MIN:MAX", help="how long a task runs")
    add(
        "--progress-ms",
        type=float,
        default=0,
        metavar="MS",
        help="a running task reports progress this often",
    )
    shares = {
        "never-answer": "of runs never end",
        "fail": "of runs end in an error",
        "ignore-cancels": "of runs do not answer a cancel",
        "reload": "of runs end with a reload: half before the answer, half before it is sent",
        "drop-polls": "of poll answers are lost: read, thrown away, new session",
        "swallow-polls": "of poll answers are thrown away unnoticed, in the same session",
        "repeat-posts": "of POSTs are sent twice",
        "lose-post-answers": "of POSTs are sent again on a new connection, as if unanswered",
    }
    for name, text in shares.items():
        add(f"--{name}", type=_share, default=0.0, metavar="P", help=f"P {text}")
    add("--stash", type=_share, default=0.5, metavar="P", help="P of reloads keep the stash (%(default)s)")
    add(
        "--reload-every-ms",
        type=float,
        default=0,
        metavar="MS",
        help="pages also reload this often, on average",
    )
    add("--cut-polls-ms", type=float, default=0, metavar="MS", help="unanswered polls lose their connection")


def run(options: argparse.Namespace) -> int:
    """Run what the options ask for. Returns the exit status."""
    try:
        _check(options)
        farm = _farm(options)
    except ValueError as error:
        print(f"pagehand simulate: {error}", file=sys.stderr)
        return 2
    began = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_until_end(farm, options))
    _print_summary(farm, time.monotonic() - began, as_json=options.json_summary)
    troubles = _troubles(farm, options)
    for trouble in troubles:
        print(f"pagehand simulate: {trouble}", file=sys.stderr)
    return 1 if troubles else 0


def _check(options: argparse.Namespace) -> None:
    if not options.workers and not options.submit:
        raise ValueError("without workers and without --submit there is nothing to do")
    if not options.workers and options.jobs:
        raise ValueError("--jobs counts what workers report, and there are none: use --seconds")


def _troubles(farm: Farm, options: argparse.Namespace) -> list[str]:
    """What was asked for and did not happen at all."""
    found = []
    if rejected := {page.rejected for page in farm.pages if page.rejected}:
        found.append(f"the server refused the pages: {', '.join(sorted(rejected))}")
    elif options.workers and not farm.stats["registered"]:
        found.append("no page could register")
    if options.submit and not farm.stats["submitted"]:
        found.append("the server took no job")
    return found


def _farm(options: argparse.Namespace) -> Farm:
    return Farm(
        options.url,
        workers=options.workers,
        slots=options.slots,
        types=options.types,
        token=options.token,
        name_prefix=options.name_prefix,
        quick=options.quick,
        progress_s=options.progress_ms / 1000,
        labels=_labels(options.labels),
        faults=_faults(options),
        seed=options.seed,
        keep=_KEEP,
        transport=options.transport,
    )


def _faults(options: argparse.Namespace) -> Faults:
    return Faults(
        slow_s=options.slow_ms,
        never_answer=options.never_answer,
        fail=options.fail,
        ignore_cancels=options.ignore_cancels,
        reload=options.reload,
        reload_every_s=options.reload_every_ms / 1000,
        stash=options.stash,
        drop_polls=options.drop_polls,
        swallow_polls=options.swallow_polls,
        cut_polls_s=options.cut_polls_ms / 1000,
        repeat_posts=options.repeat_posts,
        lose_post_answers=options.lose_post_answers,
    )


async def _until_end(farm: Farm, options: argparse.Namespace) -> None:
    if not options.json_summary:
        load = f", and {options.submit * 60:g} jobs a minute," if options.submit else ""
        printed(f"{options.workers} pages for {', '.join(options.types)}{load} at {options.url}; Ctrl-C stops them\n")
    await farm.start()
    try:
        async with _load(farm, options):
            await farm.until(lambda: _ended(farm, options), timeout_s=options.seconds)
    except TimeoutError:
        pass  # the time of ``--seconds`` is over
    finally:
        await farm.stop()


@contextlib.asynccontextmanager
async def _load(farm: Farm, options: argparse.Namespace) -> AsyncIterator[None]:
    """Submits jobs meanwhile, if that is asked for."""
    if not options.submit:
        yield
        return
    load = Submitters(options.url, per_s=options.submit, types=options.types, token=options.token, stats=farm.stats)
    task = asyncio.create_task(load.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        load.close()


def _ended(farm: Farm, options: argparse.Namespace) -> bool:
    if farm.pages and all(page.rejected for page in farm.pages):
        return True
    return options.jobs is not None and farm.stats["recorded"] >= options.jobs


def _print_summary(farm: Farm, seconds: float, *, as_json: bool) -> None:
    recorded = farm.stats["recorded"]
    summary = {
        "seconds": round(seconds, 3),
        "recorded_per_s": round(recorded / seconds, 1) if seconds else 0.0,
    }
    stats = dict(sorted(farm.stats.items()))
    if as_json:
        printed(json.dumps({**summary, "stats": stats}) + "\n")
        return
    lines = [f"{recorded} recorded in {seconds:.1f} s ({summary['recorded_per_s']} per second)"]
    lines += [f"  {name:<28}{count:>10}" for name, count in stats.items()]
    printed("\n".join(lines) + "\n")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _none_or_more(text: str) -> int:
    return 0 if text == "0" else _count(text)


def _rate(text: str) -> float:
    """``5/s``, ``90/min`` or ``10/h``; jobs per second come out."""
    number, _, unit = text.partition("/")
    per_s = float(number) / {"s": 1, "min": 60, "h": 3_600}.get(unit, float("nan"))
    if not 0 < per_s <= _MOST_PER_S:
        raise argparse.ArgumentTypeError(
            f"a number of jobs and a time, as in 5/s, 90/min or 10/h; at most {_MOST_PER_S}/s"
        )
    return per_s


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return number


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("at least one type is needed")
    return names


def _label(text: str) -> tuple[str, str]:
    """``NAME:VALUE``, as the worker page takes it. Its words are its own: it knows nothing of the server."""
    name, _, value = text.partition(":")
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,50}", name):
        raise argparse.ArgumentTypeError("the name of a label has 1 to 50 letters, digits, dots, - and _")
    if name == "name":
        raise argparse.ArgumentTypeError("no label may be called name: a simulated page has a name of its own")
    if not 1 <= len(value) <= 200:
        raise argparse.ArgumentTypeError("NAME:VALUE, the value a text of 1 to 200 characters")
    return name, value


def _labels(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    labels = dict(pairs)
    if len(labels) < len(pairs):
        raise ValueError("a label is given twice")
    if len(labels) > _LABELS:
        raise ValueError(f"a page has at most {_LABELS} labels")
    return labels


def _span(text: str) -> tuple[float, float]:
    """``MIN:MAX`` in milliseconds, or one number for both; seconds come out."""
    low, _, high = text.partition(":")
    span = float(low) / 1000, float(high or low) / 1000
    if not 0 <= span[0] <= span[1]:
        raise argparse.ArgumentTypeError("MIN:MAX in milliseconds, MIN not above MAX")
    return span


if __name__ == "__main__":
    sys.exit(main())
