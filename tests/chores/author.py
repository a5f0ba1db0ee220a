"""Five things that somebody does who writes tasks."""

from __future__ import annotations

import re

from tests.chores.person import Person
from tests.chores.site import Chore, Site
from tests.support.waiting import until

__all__ = ["AUTHOR", "A_MINUTE_LATER"]

_GREET = """// pagehand: {"title": "Greets somebody", "example": {"name": "Ada"}}
Pagehand.task('greet', function (job) {
  job.log('greeting ' + job.data.name);
  return 'Hello, ' + job.data.name + '!';
});
"""
_BROKEN = """Pagehand.task('broken', function (job) {
  return job.data.nothing.name;
});
"""


def write_and_run_a_task(me: Person, site: Site) -> None:
    (site.tasks / "greet.js").write_text(_GREET)
    me.leaves_open("/worker?types=greet&name=AUTHOR-1")
    me.begin("/")
    me.click("Types")
    me.click("greet")
    me.click("Submit one")
    me.click("Submit the job")
    me.waits_for("Hello, Ada!")


def read_its_log(me: Person, site: Site) -> None:
    me.begin("/")
    me.click("Jobs")
    me.click(f"…{site.newest('greet')['id'][-8:]}")
    me.waits_for("greeting Ada")


def find_the_line_that_fails(me: Person, site: Site) -> None:
    (site.tasks / "broken.js").write_text(_BROKEN)
    me.leaves_open("/worker?types=broken&name=AUTHOR-2")
    job = site.submit("broken", {}, max_attempts=1)
    until(lambda: site.job(job)["state"] == "failed", 20, "it has failed")
    me.begin("/")
    me.click("Jobs")
    me.click(f"…{job[-8:]}")
    me.waits_for("Last error")
    assert re.search(r"broken\.js[^ ]*:2", me.reads()), "the file and the line"


def run_it_at_one_desk(me: Person, site: Site) -> None:
    me.begin("/")
    me.click("Workers")
    me.click("DESK-9")
    me.click("Submit a job for it")
    me.click("Submit the job")
    me.waits_for("Succeeded")
    assert me.sees("DESK-9")


def run_the_same_again(me: Person, site: Site) -> None:
    me.begin("/")
    me.click("Jobs")
    me.click(f"…{site.newest('greet')['id'][-8:]}")
    me.click("Submit the same again")
    me.waits_for("Hello, Ada!")


def bring_a_new_version_to_the_pages(me: Person, site: Site) -> None:
    """A page loads anew at most once a minute, so this may take as long."""
    (site.tasks / "greet.js").write_text(_GREET)
    me.leaves_open("/worker?types=greet&name=AUTHOR-3")
    until(lambda: site.ask("GET", "workers?name=AUTHOR-3&state=connected")["items"], 20, "a page has the old version")
    (site.tasks / "greet.js").write_text(_GREET.replace("Hello", "Good day"))
    me.begin("/types")
    until(lambda: site.ask("GET", "types/greet")["deployed"]["old"], 20, "the server has seen the new file")
    me.begin("/")
    me.click("1 connected page has old tasks")
    me.click("Reload idle ones")
    until(lambda: not site.ask("GET", "types/greet")["deployed"]["old"], 90, "the page has loaded anew")
    job = site.submit("greet", {"name": "Ada"})
    until(lambda: site.job(job)["state"] == "succeeded", 20, "it is done")
    assert site.job(job)["result"] == "Good day, Ada!"


#: What is done -> who does it, and the most clicks that it may take.
AUTHOR: dict[str, tuple[Chore, int]] = {
    "Write a task and run it": (write_and_run_a_task, 4),
    "Read what it wrote to its log": (read_its_log, 4),
    "Find the line of a task that fails": (find_the_line_that_fails, 4),
    "Run it at one desk": (run_it_at_one_desk, 4),
    "Run the same again": (run_the_same_again, 4),
}
#: The page may have loaded just now.
A_MINUTE_LATER: dict[str, tuple[Chore, int]] = {
    "Bring a new version to the pages that have the old one": (bring_a_new_version_to_the_pages, 4),
}
