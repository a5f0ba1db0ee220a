"""What somebody must look at, each in a sentence with the age of the oldest, or that all is well. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from dispatcher.core.jobs.acts.backups import BackupState
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.habits import Roll
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.deployed import WithheldTask
from dispatcher.core.jobs.views.endings import Summary
from dispatcher.core.jobs.views.overview import Overview
from dispatcher.core.jobs.views.troubles import PausedType, Troubles, UntakenLane
from handlers.console import words
from handlers.console.deploying import withheld_words
from handlers.overview.concern import MOST_CONCERNS, MOST_NAMED, Concern, for_words, jobs_link, stopped, waiting
from handlers.overview.kept import shut, stuck, unloaded, unserved

__all__ = ["OLD_BACKUP_S", "Beside", "concerns", "sentence"]

#: Whoever makes backups makes one a day.
OLD_BACKUP_S = 2 * 86_400
#: Messages of webhooks that wait for so long do not get through.
LATE_MESSAGE_S = 300
#: A job waits too long after so many seconds and so many times as long as 95 % of its type do.
LONG_S, LONG_TIMES = 30, 5
#: The same where too few jobs have ended to say what is usual.
LONG_UNKNOWN_S = 1_800


class Beside(Struct, frozen=True, kw_only=True):
    """What is known beside the dispatcher's overview."""

    #: The commonest error of a type whose jobs fail.
    errors: Mapping[str, str] = field(default_factory=dict)
    #: Files of tasks that do not work.
    task_files: list[str] = []
    #: Connected pages that have old tasks, and the types of these.
    old_pages: int = 0
    old_types: list[str] = []
    #: Tasks whose files failed on a canary.
    withheld: list[WithheldTask] = []


def sentence(seen: Overview, found: Sequence[Concern]) -> str:
    """The answer to whether all is well."""
    if found:
        return f"{words.plural(len(found), 'thing')} to look at"
    return f"All is well. {_workers(seen)}, {_rate(seen.hour)}, {_waits(seen)}."


def _workers(seen: Overview) -> str:
    ready, busy = seen.present.ready, seen.present.busy
    if not ready and not busy:
        return "No worker is ready" if seen.present.paused or seen.present.away else "No worker is connected"
    return words.plural(ready, "worker") + " ready" + (f" and {busy:,} busy" if busy else "")


def _rate(hour: Summary) -> str:
    per_hour = round(hour.per_hour)
    return f"{words.plural(per_hour, 'job')} an hour" if per_hour else "no job was done in the last hour"


def _waits(seen: Overview) -> str:
    if not seen.waits:
        return "no job waits"
    longest = words.age(max(1.0, seen.at - min(seen.waits.values())))
    return f"nothing waits longer than {longest}" if seen.all_waits else f"the longest wait that was seen is {longest}"


def concerns(seen: Overview, beside: Beside) -> list[Concern]:
    """What somebody must look at, the gravest kind first."""
    troubles = seen.troubles
    found = [
        *_server(seen),
        *_everything(seen),
        *_stalled(troubles),
        *unserved(seen),
        *unloaded(seen),
        *stuck(seen),
        *shut(seen),
        *_untaken(seen),
        *_paused(seen),
    ]
    found += [*_often(troubles, beside.errors), *_failing(seen, beside.errors), *_in_doubt(seen)]
    told = {one.type for one in found if one.type is not None and one.code not in ("failing", "in_doubt")}
    found += [
        *_long(seen, told),
        *_missed(seen),
        *_files(beside.task_files),
        *_withheld(beside.withheld),
        *_old(beside),
        *_hooks(seen),
        *_backup(seen),
    ]
    return found


def _server(seen: Overview) -> Iterator[Concern]:
    if seen.draining:
        yield Concern(code="stopping", words="The server is stopping: it takes no new jobs.")
    elif not seen.has_space:
        text = "The disk is nearly full: the server takes no new jobs. Those that it has go on."
        yield Concern(code="disk", words=text, link="/readyz?verbose")
    elif not seen.takes_jobs:
        yield Concern(code="not_ready", words="The server takes no new jobs at the moment.", link="/readyz?verbose")


def _stalled(troubles: Troubles) -> Iterator[Concern]:
    if troubles.stalled:
        name, seconds = max(troubles.stalled, key=lambda stalled: stalled[1])
        others = len(troubles.stalled) > 1
        what = f"Jobs of type {name}{' and of other types' if others else ''}"
        text = (
            f"{what} wait although a worker is free: none was offered for {words.duration(seconds)}. "
            "The server is overloaded, or its disk is slow."
        )
        yield Concern(code="stalled", words=text, link=jobs_link("queued", name), type=name)


def _untaken(seen: Overview) -> Iterator[Concern]:
    untaken = seen.troubles.untaken
    for one in untaken[:MOST_CONCERNS]:
        yield _of_untaken(one, seen.at)
    if len(untaken) > MOST_CONCERNS:
        text = "More jobs wait for workers that do not come, or are paused."
        yield Concern(code="no_match", words=text, link="/jobs?state=queued")


def _of_untaken(one: UntakenLane, at: float) -> Concern:
    wanted = f", for {words.only_for(one.requires)}," if one.requires else ""
    text = waiting(one.queued, one.type, one.since, at, wanted)
    label = next((f"{label}:{value}" for label, value in _first(one)), "")
    return Concern(
        code="all_paused" if one.code == "paused" else one.code,
        words=words.ended(f"{text}: {one.why}"),
        link=jobs_link("queued", one.type) + "".join(f"&requires={words.label_link(*pair)}" for pair in _first(one)),
        type=one.type,
        since=one.since,
        workers=WorkerFilter(type=one.type, label=label),
    )


def _first(one: UntakenLane) -> Iterator[tuple[str, str]]:
    """What a list can ask for: of each label the first value. The name comes first: it says most."""
    pairs = ((label, values[0]) for label, values in one.requires)
    return iter(sorted(pairs, key=lambda pair: pair[0] != NAME))


def _everything(seen: Overview) -> Iterator[Concern]:
    """All types are paused together: that counts even if no job waits."""
    for one in seen.troubles.paused:
        if one.type == EVERY_TYPE:
            waits = f"{words.plural(one.queued, 'job')} {'waits' if one.queued == 1 else 'wait'}"
            text = f"No job is given out: all types are paused{one.hold.words()}. {waits}."
            yield Concern(code="everything_paused", words=text, link=f"/types/{EVERY_TYPE}", since=one.hold.at)


def _paused(seen: Overview) -> Iterator[Concern]:
    paused: list[PausedType] = [one for one in seen.troubles.paused if one.type != EVERY_TYPE]
    for one in paused[:MOST_CONCERNS]:
        since = seen.troubles.since.get(one.type)
        text = f"{waiting(one.queued, one.type, since, seen.at)}: the type is paused{one.hold.words()}."
        yield Concern(code="type_paused", words=text, link=f"/types/{one.type}", type=one.type, since=since)
    if len(paused) > MOST_CONCERNS:
        yield Concern(code="type_paused", words="Jobs of more types wait that are paused.", link="/types")


def _often(troubles: Troubles, errors: Mapping[str, str]) -> Iterator[Concern]:
    for one in troubles.often[:MOST_CONCERNS]:
        text = f"{one.failed:,} of {one.tried:,} jobs of type {one.type} failed in the last 15 min"
        text = stopped(text + _with(errors, one.type))
        yield Concern(code="failing", words=text, link=f"/failures?type={one.type}", type=one.type)
    if len(troubles.often) > MOST_CONCERNS:
        yield Concern(code="failing", words="Many jobs of more types fail.", link="/failures")


def _failing(seen: Overview, errors: Mapping[str, str]) -> Iterator[Concern]:
    """Those that are not told with more."""
    troubles = seen.troubles
    often = {one.type for one in troubles.often}
    for one in troubles.failing[:MOST_CONCERNS]:
        if one.type not in often:
            how = f"{one.jobs:,} of {one.jobs:,} jobs" if one.all else f"The last {one.jobs:,} jobs"
            text = f"{how} of type {one.type} failed, the last one {words.ago(one.at, seen.at)}"
            text, link = stopped(text + _with(errors, one.type)), f"/failures?type={one.type}"
            yield Concern(code="failing", words=text, link=link, type=one.type, since=one.since)
    if len(troubles.failing) > MOST_CONCERNS:
        yield Concern(code="failing", words="All jobs of more types have failed of late.", link="/types")


def _with(errors: Mapping[str, str], type_name: str) -> str:
    return f", most often with: {errors[type_name]}" if type_name in errors else ""


def _in_doubt(seen: Overview) -> Iterator[Concern]:
    if jobs := seen.counts.get(JobState.IN_DOUBT, 0):
        since, oldest = seen.in_doubt_since, for_words(jobs, seen.in_doubt_since, seen.at)
        how = ("has been in doubt" if oldest else "is in doubt") if jobs == 1 else "are in doubt"
        text = f"{words.plural(jobs, 'job')} {how}{oldest}: a person must decide."
        yield Concern(code="in_doubt", words=text, link="/doubts", since=since)


def _long(seen: Overview, told: Iterable[str]) -> Iterator[Concern]:
    """Types of which nothing else says why their jobs wait."""
    usual = {line.known.type: line.usual_wait_s for line in seen.types}
    everything = any(one.type == EVERY_TYPE for one in seen.troubles.paused)
    waits = [] if everything else sorted((at, name) for name, at in seen.waits.items() if name not in told)
    for since, name in waits[:MOST_CONCERNS]:
        waited_s, usual_s = seen.at - since, usual.get(name)
        if waited_s > (LONG_UNKNOWN_S if usual_s is None else max(LONG_S, LONG_TIMES * usual_s)):
            rule = "" if usual_s is None else f"; as a rule 95 % of them wait less than {words.duration(usual_s)}"
            text = f"A job of type {name} that is next in line has waited for {words.age(waited_s)}{rule}."
            yield Concern(code="long_wait", words=text, link=jobs_link("queued", name), type=name, since=since)


def _missed(seen: Overview) -> Iterator[Concern]:
    roll = seen.roll
    if roll.missed:
        named = ", ".join(f"{one.name} (for {words.age(seen.at - one.gone_at)})" for one in roll.some[:MOST_NAMED])
        more = " and more" if roll.missed > MOST_NAMED else ""
        text = f"{_usual(roll)} Missing: {named}{more}."
        yield Concern(code="workers_missed", words=text, link="/workers?state=gone", since=roll.some[-1].gone_at)


def _usual(roll: Roll) -> str:
    if roll.usual == 1:
        return "The one worker that is usually here at this hour is not here."
    verb = "is" if roll.here == 1 else "are"
    return f"{roll.here:,} of {roll.usual:,} workers that are usually here at this hour {verb} here."


def _files(files: list[str]) -> Iterator[Concern]:
    if files:
        verb = "does" if len(files) == 1 else "do"
        more = " and more" if len(files) > MOST_NAMED else ""
        text = f"{words.plural(len(files), 'task file')} {verb} not work: {', '.join(files[:MOST_NAMED])}{more}."
        yield Concern(code="task_file", words=text, link="/types")


def _old(beside: Beside) -> Iterator[Concern]:
    if pages := beside.old_pages:
        verb = "has" if pages == 1 else "have"
        named = ", ".join(beside.old_types[:MOST_NAMED])
        more = " and more" if len(beside.old_types) > MOST_NAMED else ""
        text = f"{words.plural(pages, 'connected page')} {verb} old tasks: {named}{more}."
        yield Concern(code="old_tasks", words=text, link="/rollout")


def _withheld(withheld: list[WithheldTask]) -> Iterator[Concern]:
    for one in withheld[:MOST_CONCERNS]:
        yield Concern(code="withheld", words=withheld_words(one), link="/rollout", type=one.type)


def _hooks(seen: Overview) -> Iterator[Concern]:
    link = "/upkeep#webhooks"
    for name, reason in seen.hooks.given_up[:MOST_CONCERNS]:
        text = stopped(f"Nothing is sent to the webhook {name} any more: {reason}")
        yield Concern(code="webhook_off", words=text, link=link)
    if dead := seen.hooks.dead:
        verb = "was" if dead == 1 else "were"
        text = f"{words.plural(dead, 'message')} of webhooks {verb} not delivered, and nobody tries again by itself."
        yield Concern(code="webhook_dead", words=text, link=link)
    if (oldest_s := seen.hooks.oldest_s) > LATE_MESSAGE_S:
        text = f"A message of a webhook has waited for {words.age(oldest_s)}: its receiver does not take it."
        yield Concern(code="webhook_late", words=text, link=link, since=seen.at - oldest_s)


def _backup(seen: Overview) -> Iterator[Concern]:
    """Who has never made one backs up in another way."""
    backup, link = seen.backup, "/upkeep#backups"
    if backup is not None and backup.state is BackupState.FAILED:
        text = stopped(f"The last backup failed: {backup.detail}")
        yield Concern(code="backup_failed", words=text, link=link, since=backup.ended_at)
    elif backup is not None and seen.at - backup.begun_at > OLD_BACKUP_S:
        text = f"The newest backup is {words.age(seen.at - backup.begun_at)} old: make one with pagehand backup."
        yield Concern(code="backup_old", words=text, link=link, since=backup.begun_at)
