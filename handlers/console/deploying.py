"""Which versions of a task the pages have, and how far a rollout is, in a sentence each. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dispatcher.core.jobs.acts.rollouts import ENOUGH_JOBS, WATCH_S, RolloutState, RolloutView
from dispatcher.core.jobs.views.deployed import Deployed, WithheldTask, changed_at, digest_of, same_version
from handlers.console import words

__all__ = ["deployed_words", "rollout_words", "tasks_list", "tasks_words", "versions_words", "withheld_words"]

#: How many old versions a sentence names.
MOST_NAMED = 3
#: How many of a page's files are listed.
MOST_LISTED = 20


def deployed_words(one: Deployed) -> str:
    """The versions that pages have, and what of it is withheld."""
    return " ".join([versions_words(one), *_withheld(one)])


def versions_words(one: Deployed) -> str:
    """``12 of 20 pages have an old print-label: 12 have that of 2026-11-30 09:00 UTC.``"""
    if not one.pages:
        return f"No connected page offers {one.type}."
    parts = [_known(one)]
    if one.silent:
        verb = "does" if one.silent == 1 else "do"
        parts.append(f"{words.plural(one.silent, 'page')} {verb} not say which {one.type} {_has(one.silent)}.")
    return " ".join(filter(None, parts))


def tasks_words(versions: Mapping[str, str], now: float) -> str:
    """``2 files, the oldest of 09:00 UTC``, of the tasks that a page has loaded; empty: it does not say."""
    told = [at for version in versions.values() if (at := changed_at(version)) is not None]
    if not told:
        return ""
    oldest = words.minute(min(told))
    oldest = oldest[11:] if oldest[:10] == words.minute(now)[:10] else oldest
    return f"{words.plural(len(told), 'file')}, {'of' if len(told) == 1 else 'the oldest of'} {oldest}"


def tasks_list(versions: Mapping[str, str]) -> str:
    """The same one by one: ``echo 1a2b3c4d5e6f of 2026-11-30 09:00 UTC``."""
    return ", ".join(
        f"{name} {words.version_word(version)}" for name, version in sorted(versions.items())[:MOST_LISTED]
    )


def _withheld(one: Deployed) -> list[str]:
    if one.withheld is None or one.version is None:
        return []
    return [withheld_words(WithheldTask(one.type, one.version, one.withheld), _named(one))]


def withheld_words(one: WithheldTask, named: Collection[str] = ()) -> str:
    """``fax.js of 2026-11-30 10:02 UTC is withheld, because it failed on a canary: pages get that of …``

    ``named``: other versions that are named beside these.
    """
    beside = (one.failed, one.version, *named)
    return (
        f"{one.type}.js{_at(one.failed, beside)} is withheld, because it failed on a canary: "
        f"pages get that{_at(one.version, beside)}. "
        "Put a mended file in its place. A restart of the server offers it again."
    )


def _has(pages: int) -> str:
    return "it has" if pages == 1 else "they have"


def _known(one: Deployed) -> str:
    known = one.pages - one.silent
    if not known:
        return ""
    if one.version is None:
        return f"This site has no file of {one.type}: {words.plural(known, 'page')} had it from elsewhere or before."
    named = _named(one)
    newest, an_old = ("newest", "an old") if one.withheld is None else ("offered", "another")
    if not one.old:
        at = _at(one.versions[0].version, named)
        return f"{words.plural(known, 'page')} {_have(known)} the {newest} {one.type}{at}."
    old = [version for version in one.versions if not version.newest]
    told = ", ".join(
        f"{version.pages:,} {_have(version.pages)} that{_at(version.version, named)}" for version in old[:MOST_NAMED]
    )
    more = " and others" if len(old) > MOST_NAMED else ""
    return f"{one.old:,} of {words.plural(one.pages, 'page')} {_have(one.old)} {an_old} {one.type}: {told}{more}."


def _have(pages: int) -> str:
    return "has" if pages == 1 else "have"


def _named(one: Deployed) -> list[str]:
    """All versions that may be named of this task."""
    return [*(version.version for version in one.versions), one.version or "", one.withheld or ""]


def _at(version: str, beside: Collection[str]) -> str:
    """`` of 2026-11-30 10:02 UTC``, with the digest if another one of these is of that minute."""
    changed = changed_at(version)
    if changed is None:
        return f" called {version}"
    minute = words.minute(changed)
    others = (changed_at(other) for other in beside if not same_version(other, version))
    is_one = all(other is None or words.minute(other) != minute for other in others)
    return f" of {minute}" if is_one else f" of {minute} ({digest_of(version)})"


def rollout_words(view: RolloutView) -> str:
    """``7 pages have loaded anew, 5 are loading anew, 8 are left.``"""
    done = words.plural(view.reloaded, "page")
    have = f"{done} {_have(view.reloaded)} loaded anew"
    if view.withheld and view.stopped in (None, "went_back"):
        return _back(view)
    if view.state is RolloutState.STOPPED:
        left = len(view.reloading) + view.left
        have = _again(view) if view.withheld else have
        return f"Stopped: {view.detail}. {have}, {words.plural(left, 'page')} {_have(left)} not."
    if view.state is RolloutState.DONE:
        if view.left_out:
            return f"Done: {have}. {words.plural(view.left_out, 'page')} with old tasks {_are(view.left_out)} left out."
        return f"Done: {have}. No connected page has an old task."
    text = f"{have}, {_going(view)}."
    if view.watching:
        return f"{text} It watches the reloaded ones: {_watched(view)}."
    return text + _rests(view)


def _again(view: RolloutView) -> str:
    return f"{words.plural(view.reloaded, 'page')} {_have(view.reloaded)} the former files again"


def _back(view: RolloutView) -> str:
    again = _again(view)
    if view.runs:
        text = f"Going back: {view.detail}. {again}, {_going(view)}."
    else:
        files = ", ".join(f"{one.type}{_at(one.version, [one.failed])}" for one in view.withheld[:MOST_NAMED])
        more = " and others" if len(view.withheld) > MOST_NAMED else ""
        text = f"Went back: {view.detail}. {again}: {files}{more}."
    if not view.lost:
        return text + _rests(view)
    more = " and more" if len(view.lost) > MOST_NAMED else ""
    return f"{text} Not back with them: {', '.join(view.lost[:MOST_NAMED])}{more}."


def _going(view: RolloutView) -> str:
    going = len(view.reloading)
    return f"{going:,} {_are(going)} about to, {view.left:,} {_are(view.left)} left"


def _rests(view: RolloutView) -> str:
    waits = view.runs and view.left and not view.reloading
    return " A page that has loaded just now waits for a minute." if waits else ""


def _are(pages: int) -> str:
    return "is" if pages == 1 else "are"


def _watched(view: RolloutView) -> str:
    new = view.new
    how = (
        f"{new.failed:,} of {words.plural(new.ended, 'try', 'tries')} failed" if new.ended else "none has had a job yet"
    )
    most = words.age(WATCH_S)
    return f"{how}; it goes on after {ENOUGH_JOBS} tries or {most}"
