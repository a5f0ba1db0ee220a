"""Ten things that an operator does each day, and one who answers the telephone."""

from __future__ import annotations

import re

from tests.chores.person import Person
from tests.chores.site import Chore, Site
from tests.support.waiting import until

__all__ = ["OPERATOR"]

_WRONG = 500


def is_all_well(me: Person, site: Site) -> None:
    me.begin("/")
    assert re.search(r"All is well|\d things? to look at", me.reads())
    assert me.sees("1 job is in doubt") or me.sees("in doubt"), "it says what"


def what_failed_this_morning(me: Person, site: Site) -> None:
    me.begin("/")
    me.click("failed")
    me.click("By what they failed with")
    me.waits_for("the line is dead")
    assert re.search(r"the line is dead.*\d+.*FAX-\d", me.reads(), re.DOTALL), "how many, and where"


def why_does_it_wait(me: Person, site: Site) -> None:
    job = site.submit("print-label", {"order": 1}, requires={"site": "oslo"})
    me.begin("/")
    me.click("Jobs")
    me.type("Text", job[-8:], enter=True)
    me.click(job[-8:])
    me.waits_for("Why it waits:")


def take_a_desk_out(me: Person, site: Site) -> None:
    me.begin("/")
    me.click("Workers")
    me.click("DESK-7")
    me.type("Reason, for the person at the page", "printer broken")
    me.click("Pause")
    me.waits_for("Paused by")
    assert site.worker("DESK-7")["held"]["reason"] == "printer broken"


def run_failed_faxes_again(me: Person, site: Site) -> None:
    me.begin("/")
    me.click("failed")
    me.click("By what they failed with")
    me.click("Run all again")
    me.waits_for("like that")
    count = re.search(r"(\d+) jobs are like that", me.reads())
    assert count is not None
    me.type("Reason, for whoever asks later", "the line is back")
    if me.sees("These are many"):
        me.type("These are many", count[1])
    me.click("Run again: ")
    me.waits_for(f"Done: {count[1]} jobs")


def find_an_order(me: Person, site: Site) -> None:
    me.begin("/")
    me.click("Jobs")
    me.type("Text", "4711", enter=True)
    me.waits_for("order 4711")


def cancel_many_wrong_jobs(me: Person, site: Site) -> None:
    site.submit_many("wrong-label", _WRONG)
    before = site.count("wrong-label", "cancelled")
    me.begin("/")
    me.click("500")
    me.click("Cancel")
    me.waits_for(f"{_WRONG} jobs are like that")
    me.type("Reason, for whoever asks later", "wrong price")
    me.type("These are many", str(_WRONG))
    me.click("Cancel: ")
    me.waits_for(f"Done: {_WRONG} jobs")
    assert site.count("wrong-label", "cancelled") == before + _WRONG


def how_fast_and_how_many(me: Person, site: Site) -> None:
    me.begin("/")
    line = next(line for line in me.reads().splitlines() if line.startswith("print-label"))
    assert re.search(r"\d", line)
    me.click("print-label")
    assert re.search(r"24 h.* \d+\.\d .*s", me.reads(), re.DOTALL), "half of them, and 95 %, over a day, too"


def decide_a_doubt(me: Person, site: Site) -> None:
    before = site.count(None, "in_doubt")
    me.begin("/")
    me.click("in doubt")
    me.type("Reason", "seen on the desk")
    me.click("It happened: succeeded")
    until(lambda: site.count(None, "in_doubt") == before - 1, 10, "the doubt is gone")


def tell_the_helpdesk(me: Person, site: Site) -> None:
    """The line of a page without a network is read aloud, and looked up."""
    me.begin("/worker?types=echo&name=FRONT-DESK-07&transport=polling")
    me.waits_for("READY")
    with me.without_network():
        me.waits_for("Tell the helpdesk: FRONT-DESK-07", 60)
        said = re.search(r"Or just: ([A-Z0-9]{3}-[A-Z0-9]{3})", me.reads())
    assert said is not None, "there is a code to read aloud"
    me.begin("/")
    me.click("On the telephone")
    me.type("What you are told", said[1], enter=True)
    me.waits_for("Whose fault:")


#: What is done -> who does it, and the most clicks that it may take.
OPERATOR: dict[str, tuple[Chore, int]] = {
    "Is all well?": (is_all_well, 4),
    "What failed, how often, where and why": (what_failed_this_morning, 4),
    "Why does this job wait?": (why_does_it_wait, 4),
    "Take a desk out of work, with a reason": (take_a_desk_out, 4),
    "Run all failed faxes again": (run_failed_faxes_again, 6),
    "Find order 4711": (find_an_order, 4),
    "Cancel 500 wrong jobs": (cancel_many_wrong_jobs, 6),
    "How many print-label an hour, and how fast": (how_fast_and_how_many, 4),
    "Decide a job that is in doubt": (decide_a_doubt, 4),
    "On the telephone: what is wrong with that page?": (tell_the_helpdesk, 4),
}
