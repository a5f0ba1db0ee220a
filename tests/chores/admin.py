"""Five things that an administrator does, most of them at the command line: a command counts as a click."""

from __future__ import annotations

import re

from tests.chores.person import Person
from tests.chores.site import Chore, Site

__all__ = ["ADMIN"]


def back_the_running_server_up(me: Person, site: Site) -> None:
    name = site.command("backup").strip()
    assert (site.backups / name).exists()
    site.command("restore-check", str(site.backups / name))


def make_a_token_for_a_program(me: Person, site: Site) -> None:
    told = site.command("token", "create", "erp", "--scope", "submit")
    token = re.fullmatch(r"ph_([a-z0-9]{8})_[A-Za-z0-9_-]{43}\n", told)
    assert token
    assert [one["scopes"] for one in site.ask("GET", "tokens")["items"] if one["id"] == token[1]] == [["submit"]]


def watch_it_with_the_monitoring(me: Person, site: Site) -> None:
    assert re.search(r"pagehand_jobs\{", site.metrics())
    assert "jobs" in site.command("stats")


def who_did_that(me: Person, site: Site) -> None:
    site.submit_many("old-label", 3)
    site.ask("POST", "jobs/actions", {"action": "cancel", "filter": {"type": "old-label"}, "reason": "old price"})
    me.begin("/")
    me.click("Jobs")
    me.click("Orders so far")
    me.click("Cancel")
    me.waits_for("Asked for by")
    assert me.sees("Reason: old price")


def block_a_stranger(me: Person, site: Site) -> None:
    me.begin("/")
    me.click("Workers")
    me.click("DESK-11")
    me.type("Reason, for the person at the page", "not ours")
    me.click("Block")
    me.waits_for("Its page is turned away")


#: What is done -> who does it, and the most clicks that it may take.
ADMIN: dict[str, tuple[Chore, int]] = {
    "Back the running server up, and check the backup": (back_the_running_server_up, 4),
    "Make a token for a program": (make_a_token_for_a_program, 4),
    "Watch it with the monitoring": (watch_it_with_the_monitoring, 4),
    "Who has cancelled these jobs, when and why?": (who_did_that, 4),
    "Turn a page away that is not ours": (block_a_stranger, 4),
}
