"""The index of the jobs' words, by SQLite's FTS5, and what a search reads of it.

A text is a row of its own: its number is four times the job's, and which of the texts it is. So a result is indexed
without its job's data being indexed again, and rows lie in the order of their jobs. The table keeps no texts: to remove
a row, its text is given again, and it must be the same (core/jobs/views/search.py). A store whose SQLite has no FTS5,
or that is told to keep no index, reads the texts themselves.

A job is in the index if its number is not below ``first``. Older ones are taken in by ``fill``, slice by slice.

The newest texts *wait*: the index takes them in together, some hundreds at once, because a few rows in each of many
transactions cost it three times as much. Their numbers stand in a table of their own, their texts in memory; a search
reads them beside the index.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from dispatcher.core.jobs.rows import WriteSet
from dispatcher.core.jobs.views.search import MOST_CHARS, Phrase, Search, has_text, hits, plain
from dispatcher.store.sqlite.writing import write_rows
from dispatcher.store.texts import MOST_READ, SCANNED, at_once

__all__ = [
    "FILLED",
    "LOOKED",
    "MOST_READ",
    "MOST_WAITING",
    "SCANNED",
    "SearchIndex",
    "find_by_reading",
    "prepare_index",
]

#: Jobs that one slice takes into the index.
FILLED = 100
#: Jobs whose numbers one part of the index has; one slice of a search looks into one part.
LOOKED = 32_768
#: Stands before the number of its part in each row. ``plain`` leaves no such character in a text.
_PART = "\ue000"
#: When so many texts wait, or so many characters, the index takes them in: half a millisecond of one turn in many.
MOST_WAITING, _MOST_CHARS_WAITING = 512, 100_000
#: A word's beginning is asked of the index if so many places at most have it: FTS5 reads all before the first hit.
_MOST_PLACES = 20_000
#: The texts of a job.
_DATA, _RESULT, _ERROR, _SUMMARY = range(4)
#: The number of a job, these, its id and its key.
_Texts = tuple[int, str | None, str | None, str | None, str | None, str, str | None]
#: Where ``first`` is kept. Its number counts up with what the index holds, and how: 2 has summaries. A version of the
#: program knows the index of its own form alone, and makes it anew from any other.
_NAME = "search_first_2"
#: Behind all letters and digits.
_LAST = "\U0010ffff"

_FIRST = f"SELECT value FROM meta WHERE name = '{_NAME}'"  # noqa: S608
_FORMS = "SELECT name FROM meta WHERE name LIKE 'search_first%'"
_MAKE = "CREATE VIRTUAL TABLE job_words USING fts5(text, content='', columnsize=0, tokenize='ascii')"
_MAKE_WAITING = "CREATE TABLE IF NOT EXISTS job_words_waiting (number INTEGER PRIMARY KEY)"
_VOCABULARY = "CREATE VIRTUAL TABLE temp.job_vocabulary USING fts5vocab('main', 'job_words', 'instance')"
_START = f"""
    INSERT INTO meta (name, value) VALUES ('{_NAME}', (SELECT coalesce(max(seq), 0) + 1 FROM jobs))
"""  # noqa: S608
#: Only in the life that has begun last (see SAVE_CLOCK).
_MOVE = f"""
    UPDATE meta SET value = ?1 WHERE name = '{_NAME}' AND (SELECT value FROM meta WHERE name = 'epoch') = ?2
    RETURNING 1
"""  # noqa: S608
_ADD = "INSERT INTO job_words (rowid, text) VALUES (?, ?)"
_REMOVE = "INSERT INTO job_words (job_words, rowid, text) VALUES ('delete', ?, ?)"
_WAIT = "INSERT OR IGNORE INTO job_words_waiting VALUES {rows}"
_WAIT_NO_MORE = "DELETE FROM job_words_waiting WHERE number IN (SELECT value FROM json_each(?))"
_TEXTS = f"""
    SELECT j.seq, substr(d.data, 1, {MOST_CHARS}), substr(r.value, 1, {MOST_CHARS}), substr(j.error, 1, {MOST_CHARS}),
        json_extract(j.about, '$.summary'), j.id, j.key
    FROM jobs j JOIN job_data d ON d.seq = j.seq LEFT JOIN results r ON r.seq = j.seq
"""  # noqa: S608
_TEXTS_OF = f"{_TEXTS} WHERE j.seq IN (SELECT value FROM json_each(?)) ORDER BY j.seq DESC"  # noqa: S608
_TEXTS_BELOW = f"{_TEXTS} WHERE j.seq < ? ORDER BY j.seq DESC LIMIT ?"
_ERRORS = "SELECT seq, error FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) AND error IS NOT NULL"
_FIND = "SELECT rowid FROM job_words WHERE job_words MATCH ? AND rowid < ? AND rowid >= ? ORDER BY rowid DESC LIMIT ?"
_PLACES = "SELECT count(*) FROM (SELECT 1 FROM temp.job_vocabulary WHERE term >= ? AND term < ? LIMIT ?)"


def prepare_index(connection: sqlite3.Connection, epoch: int, *, wanted: bool) -> SearchIndex | None:
    """Makes the index if there is none, or removes it. None: there is none. Raises sqlite3.Error.

    One that was not kept up for a while, or has another form, is made anew.
    """
    has_fts5 = _has_fts5(connection)
    begun = connection.execute(_FORMS).fetchall() == [(_NAME,)]
    there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'job_words'").fetchone() is not None
    use = wanted and has_fts5
    if begun != use or there != use:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM meta WHERE name LIKE 'search_first%'")
        if there and has_fts5:
            connection.execute("DROP TABLE job_words")
        connection.execute("DROP TABLE IF EXISTS job_words_waiting")
        if use:
            connection.execute(_MAKE)
            connection.execute(_START)
        connection.execute("COMMIT")
    if not use:
        return None
    connection.execute(_MAKE_WAITING)
    connection.execute(_VOCABULARY)
    return SearchIndex(connection, epoch)


def _has_fts5(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT fts5_source_id()")
    except sqlite3.OperationalError:
        return False
    return True


def _apart(texts: Iterable[_Texts]) -> dict[int, str]:
    """Each text by the number of its row."""
    return {seq * 4 + which: text for seq, *all_of, _, _ in texts for which, text in enumerate(all_of) if text}


def _rows(texts: Mapping[int, str]) -> list[tuple[int, str]]:
    """In the order of their numbers: FTS5 begins a new segment where a number is lower than the last."""
    return [(row, f"{plain(texts[row])} {_PART}{row // 4 // LOOKED}") for row in sorted(texts)]


class SearchIndex:
    """What is written and read of the index, in the store's thread."""

    def __init__(self, connection: sqlite3.Connection, epoch: int) -> None:
        self._db = connection
        self._epoch = epoch
        #: The lowest number of the jobs that are in the index; 0: all are.
        self.first: int = connection.execute(_FIRST).fetchone()[0]
        self.reload()

    # -- in a turn's transaction

    def reload(self) -> None:
        """Reads again which texts wait: at the start, and after a rollback."""
        numbers = {row for (row,) in self._db.execute("SELECT number FROM job_words_waiting")}
        texts = _apart(self._db.execute(_TEXTS_OF, (json.dumps([row // 4 for row in numbers]),)))
        #: The texts that wait, by the numbers of their rows, and their characters.
        self._waiting = {row: text for row, text in texts.items() if row in numbers}
        self._chars = sum(map(len, self._waiting.values()))

    def write(self, writes: WriteSet) -> None:
        """Takes in the texts that a turn has made. Call it before the turn's rows are written."""
        first = self.first
        self._withdraw([seq for seq in writes.withdrawn if seq >= first])
        new = {seq * 4 + _DATA: data for seq, data in writes.data.items() if seq >= first}
        new |= {seq * 4 + _RESULT: value for seq, value in writes.results if seq >= first}
        new |= {seq * 4 + _SUMMARY: job.about.summary for seq, job in writes.new.items() if job.about.summary}
        changed = {job.seq: job.error for job in writes.changed() if job.seq >= first}
        if changed:
            new |= self._errors(changed)
        if not new:
            return
        self._waiting |= {row: text[:MOST_CHARS] for row, text in new.items()}
        self._chars += sum(min(len(text), MOST_CHARS) for text in new.values())
        if len(self._waiting) < MOST_WAITING and self._chars < _MOST_CHARS_WAITING:
            write_rows(self._db, _WAIT, [(row,) for row in new])
        else:
            self._take_in()

    def _withdraw(self, seqs: Sequence[int]) -> None:
        """The results of these jobs go, and the jobs stay."""
        if seqs:
            texts = _apart(self._db.execute(_TEXTS_OF, (json.dumps(seqs),)))
            self._take_out({row: text for row, text in texts.items() if row % 4 == _RESULT})

    def _take_in(self) -> None:
        self._db.executemany(_ADD, _rows(self._waiting))
        self._db.execute("DELETE FROM job_words_waiting")
        self._waiting, self._chars = {}, 0

    def _errors(self, changed: dict[int, str | None]) -> dict[int, str]:
        """The errors that are new; those in their place leave the index."""
        before = dict(self._db.execute(_ERRORS, (json.dumps(list(changed)),)))
        others = {seq: error for seq, error in changed.items() if error != before.get(seq)}
        self._take_out({seq * 4 + _ERROR: before[seq] for seq in others if before.get(seq)})
        return {seq * 4 + _ERROR: error for seq, error in others.items() if error}

    def remove(self, seqs: Iterable[int]) -> None:
        """Jobs go. Call it before their rows do."""
        gone = [seq for seq in seqs if seq >= self.first]
        self._take_out(_apart(self._db.execute(_TEXTS_OF, (json.dumps(gone),))))

    def _take_out(self, texts: Mapping[int, str]) -> None:
        waited = self._waiting.keys() & texts.keys()
        if waited:
            self._chars -= sum(len(self._waiting.pop(row)) for row in waited)
            self._db.execute(_WAIT_NO_MORE, (json.dumps([*waited]),))
        rows = _rows({row: text for row, text in texts.items() if row not in waited})
        if rows:
            self._db.executemany(_REMOVE, rows)

    # -- between turns

    def fill(self) -> bool:
        """Takes in the next older jobs, in a transaction of its own. Returns whether it is over.

        Raises sqlite3.Error.
        """
        if not self.first:
            return True
        below = self._db.execute(_TEXTS_BELOW, (self.first, FILLED)).fetchall()
        found = at_once(below)
        first = found[-1][0] if len(found) < len(below) or len(found) == FILLED else 0
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(_ADD, _rows(_apart(found)))
        if self._db.execute(_MOVE, (first, self._epoch)).fetchone() is None:
            self._db.execute("ROLLBACK")
            return True  # the store is another's
        self._db.execute("COMMIT")
        self.first = first
        return not first

    # -- a search

    def narrowed(self, search: Iterable[Phrase]) -> tuple[str, bool]:
        """What FTS5 is asked for, empty if nothing in the search is rare enough; and whether that is all of it."""
        asked, is_whole = [], True
        for phrase in search:
            words, is_open = phrase.words, phrase.is_open
            if is_open and self._is_common(words[-1]):
                words, is_open, is_whole = words[:-1], False, False
            if words:
                asked.append(f'"{" ".join(words)}"{"*" if is_open else ""}')
        return " AND ".join(asked), is_whole

    def _is_common(self, beginning: str) -> bool:
        asked = (beginning, beginning + _LAST, _MOST_PLACES + 1)
        return bool(self._db.execute(_PLACES, asked).fetchone()[0] > _MOST_PLACES)

    def find(self, asked: str, search: Sequence[Phrase], below: int, most: int) -> tuple[list[int], int]:
        """The next jobs with a text of this kind, newest first, and down to which number they are all told.

        ``asked``: the search as ``narrowed`` says it.
        """
        part = (below - 1) // LOOKED
        above = max(self.first, part * LOOKED, 1)
        # By the numbers alone FTS5 would look for the next hit through all of the index.
        rows = self._db.execute(_FIND, (f'"{_PART}{part}" AND {asked}', below * 4, above * 4, most)).fetchall()
        seqs = {row // 4 for (row,) in rows}
        told = min(seqs) if len(rows) == most else above
        seqs |= self._waiting_with(search, told, below)
        return sorted(seqs, reverse=True), told

    def _waiting_with(self, search: Sequence[Phrase], above: int, below: int) -> set[int]:
        waiting = [(row // 4, text) for row, text in self._waiting.items() if above * 4 <= row < below * 4]
        return {seq for seq, text in waiting if has_text(search, [text])}


def texts_of(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[_Texts]:
    """What is searched of these jobs, newest first."""
    return connection.execute(_TEXTS_OF, (json.dumps(seqs),)).fetchall() if seqs else []


def find_by_reading(
    connection: sqlite3.Connection, search: Search, seqs: Sequence[int]
) -> tuple[list[int], int | None]:
    """The ones among these jobs that are meant, newest first; and down to which number they are told, None: all are."""
    asked = texts_of(connection, seqs)
    read = at_once(asked)
    found = [seq for seq, *texts in read if any(hits(search, texts))]
    return found, read[-1][0] if len(read) < len(asked) else None
