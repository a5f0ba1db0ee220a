"""Which versions of a task the pages have, and how far a rollout is, in a sentence each. Pure."""

from __future__ import annotations

from dispatcher.core.jobs.acts.rollouts import ENOUGH_JOBS, WATCH_S, RolloutState, RolloutView
from dispatcher.core.jobs.views.deployed import Deployed, TaskVersion
from handlers.console import words

__all__ = ["deployed_words", "rollout_words"]

#: How many old versions a sentence names.
MOST_NAMED = 3


def deployed_words(one: Deployed) -> str:
    """``12 of 20 pages have an old print-label: 12 have that of 2026-11-30 09:00 UTC.``"""
    if not one.pages:
        return f"No connected page offers {one.type}."
    parts = [_known(one)]
    if one.silent:
        verb = "does" if one.silent == 1 else "do"
        parts.append(f"{words.plural(one.silent, 'page')} {verb} not say which {one.type} {_has(one.silent)}.")
    return " ".join(filter(None, parts))


def _has(pages: int) -> str:
    return "it has" if pages == 1 else "they have"


def _known(one: Deployed) -> str:
    known = one.pages - one.silent
    if not known:
        return ""
    if one.version is None:
        return f"This site has no file of {one.type}: {words.plural(known, 'page')} had it from elsewhere or before."
    if not one.old:
        return f"{words.plural(known, 'page')} {_have(known)} the newest {one.type}{_of(one.versions[0])}."
    old = [version for version in one.versions if not version.newest]
    told = ", ".join(f"{version.pages:,} {_have(version.pages)} that{_of(version)}" for version in old[:MOST_NAMED])
    more = " and others" if len(old) > MOST_NAMED else ""
    return f"{one.old:,} of {words.plural(one.pages, 'page')} {_have(one.old)} an old {one.type}: {told}{more}."


def _have(pages: int) -> str:
    return "has" if pages == 1 else "have"


def _of(version: TaskVersion) -> str:
    if version.changed_at is None:
        return f" called {version.version}"
    return f" of {words.minute(version.changed_at)}"


def rollout_words(view: RolloutView) -> str:
    """``7 pages have loaded anew, 5 are loading anew, 8 are left.``"""
    done = words.plural(view.reloaded, "page")
    have = f"{done} {_have(view.reloaded)} loaded anew"
    if view.state is RolloutState.STOPPED:
        left = len(view.reloading) + view.left
        return f"Stopped: {view.detail}. {have}, {words.plural(left, 'page')} {_have(left)} not."
    if view.state is RolloutState.DONE:
        if view.left_out:
            return f"Done: {have}. {words.plural(view.left_out, 'page')} with old tasks {_are(view.left_out)} left out."
        return f"Done: {have}. No connected page has an old task."
    going = len(view.reloading)
    text = f"{have}, {going:,} {_are(going)} about to, {view.left:,} {_are(view.left)} left."
    if view.watching:
        return f"{text} It watches the reloaded ones: {_watched(view)}."
    return text if going or not view.left else f"{text} A page that has loaded just now waits for a minute."


def _are(pages: int) -> str:
    return "is" if pages == 1 else "are"


def _watched(view: RolloutView) -> str:
    new = view.new
    how = (
        f"{new.failed:,} of {words.plural(new.ended, 'try', 'tries')} failed" if new.ended else "none has had a job yet"
    )
    most = words.age(WATCH_S)
    return f"{how}; it goes on after {ENOUGH_JOBS} tries or {most}"
