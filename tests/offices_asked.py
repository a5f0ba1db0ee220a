"""What was asked for, clause by clause, and which row answers it: ``offices`` and ``offices_read`` have the rows.

An entry is one thing that users have asked to be mended; its clauses are the parts that it names.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ASKED"]

#: Entry -> clause -> the row's ``what``.
ASKED: Mapping[str, Mapping[str, str]] = {
    "old libraries on the page": {
        "results and registers are what they are": "an old library on the page puts toJSON on Array.prototype",
    },
    "behind a proxy on another port": {
        "lines that work": "nginx stands in front, on another port than 80 and 443",
        "the refusal names both values and the cause": "nginx changes the Host header",
        "other lines of the pages are run, or say why not": "PowerShell, VBA, curl on Windows, IIS",
        "another proxy": "Apache stands in front",
    },
    "tokens in the address": {
        "taken as they stand, and what must be encoded": "a token in the address with +, / or %",
    },
    "refusals that nobody sees": {
        "the log, the page's words, a foreign page": "a page of an origin that is not allowed",
    },
    "task files that do not work": {
        "the page names file, line and message": (
            "a task file with a fault: a typo, a throw, another name, nothing in it"
        ),
        "a page that asks for such a type": "a page asks for a type whose file is not offered",
        "the log and /types name each": "a task file that is not UTF-8, is empty, or whose name is no type's name",
    },
    "marks and encodings": {
        "a mark is skipped": (
            "a byte order mark before a body, a line of a batch, a form's JSON, a file of settings or a token"
        ),
        "UTF-16, Windows-1252": "a body in UTF-16 or Windows-1252",
    },
    "answers say their charset": {
        "all of them": "PowerShell 5.1 and WinHTTP take JSON without a charset for Latin-1",
    },
    "long names": {
        "rows and pages": "names and types of 40 to 100 characters",
        "very many": "2,000 types, 2,000 warnings",
    },
    "unknown query fields": {
        "of lists": "a typo in the query of a list, ?status=failed",
        "of a worker page": "an unknown part of a worker page's address",
    },
    "media types": {"one parser": "a media type in capitals, or with parameters"},
    "words of parsers": {
        "what is wrong with JSON, and where": "half a surrogate pair, NaN, a raw line break, an empty body",
        "a field of an address": "?type=%FC",
    },
    "many small ones": {
        "gzip": "a body that is compressed",
        "long heads and addresses": (
            "the cookies of other programs make a head of more than 16 KiB, or an address is that long"
        ),
        "an address in full": "GET http://host/path in the first line, as clients say it to a proxy",
        "a file's name": r"a file from C:\Users\...\report.txt",
        "--allow-origin": "--allow-origin with the usual port, capitals, a name beyond ASCII or a *",
        "a form by a program": "a program sends the console's form",
        "slashes and capitals": "a slash at the end of an address, an id in capitals",
        "a field that stands twice": "a field that stands twice in JSON",
        "done('')": "done('') and done(false)",
        "direction marks": "marks that turn the direction of text in a name",
    },
    "what became of a job": {
        "decided, in doubt, how long": "a job that a person decided, or in doubt by a timeout",
    },
    "problems first": {
        "paused, all failed, about to be offered, all is well": (
            "all pages of a type are paused; 40 of 40 jobs of a type failed; a job stands although a worker is free"
        ),
    },
    "the worker page": {
        "maintenance has an end": "a server that was stopped",
        "Copy report in STOPPED and TOO OLD": "Copy report where the page has stopped, or the browser is too old",
        "Pause keeps the focus": "Pause was pressed with the keyboard",
        "a cancelled task that hangs, on the page and in the console": "a cancelled task that goes on",
        "a second window": "a second window of the same worker",
        "no JavaScript": "a browser without JavaScript",
        "a proxy that cuts after 5 s": "a proxy that cuts waiting requests",
        "missing and wrong token": "a token is missing, or is wrong",
        "whose fault it is": "whose fault is it?",
        "one line to read aloud": "somebody reads the page to the helpdesk by telephone",
        "dark": "a person who prefers a dark worker page",
    },
    "errors of a task": {
        "at once": "an error in a callback of a task",
        "an option keeps the old way": "errors in callbacks of a task should be lines of its log alone",
        "lines of onCancel": "a task logs in its onCancel",
        "lines carry their try's number": "lines of several tries in one log",
    },
    "job page and lists": {
        "effects and heartbeat_s": "a job's effects and heartbeat",
        "the last progress": "how far a task had come",
        "indented and decoded": "data and results of one long line, with escapes",
        "as sent": "data as the program sent them",
        "short ids, title, copy button": "ids of 36 letters",
        "names and ages never break": "names and types of 40 to 100 characters",
        "natural order": "FRONT-DESK-2 and FRONT-DESK-10",
        "user agents and document mode in words": "document_mode: None, and user agents of 120 letters",
        "failed tries": "a number of failures that is larger than that of failed jobs",
        "a refresh keeps focus and half-chosen filters": "a refresh in the middle of a choice",
        "a refresh keeps the selection": "text is selected when a page refreshes",
        "a refresh survives links; error pages offer none": "a refresh and links; an error page",
        "dark without glaring parts; landmarks and headings": "a person who prefers dark pages; a screen reader",
    },
    "the form and the simulator": {
        "effects, expires_s, max_crashes, heartbeat_s": "effects, expires_s, max_crashes and heartbeat_s in the form",
        "one seed": "two simulators with one --seed",
        "a load": "a load is wanted",
    },
    "a worker that goes away": {
        "not here since": "a worker that went away",
        "found by type and label": "a worker that has gone is looked for by its type or label",
    },
    "README and docs": {
        "the first line": "somebody who has never seen the program opens the README",
        "half as long, examples first": "a long README, with words that only its authors know",
        "plain words": "Load this page anew, To know, Do",
        "an index": "which page of the documentation is for me?",
        "install": "to install it as a service, to upgrade, to go back",
        "a box with three commands": "to open it to the network",
        "when it goes wrong": "a task does not work, and its author does not know where to look",
        "what is not there yet": "what is not there yet",
    },
    "a path prefix": {"all under it": "a proxy serves the program under a path"},
    "origins null and custom schemes": {"by a flag, with a token": "a page from a file, or of a scheme of its own"},
    "a second way to show the token": {
        "X-Pagehand-Token, Basic": "a proxy in front has a sign-in of its own (Basic authentication)",
    },
    "forms for the API": {"the API's answers": "Excel or an old script posts a form to the API"},
    "CORS": {"with a token, asked first without": "a page of another origin uses the API"},
    "long numbers": {"job.text": "a number beyond 2^53 in a job's data"},
    "local time": {"beside UTC, without JavaScript UTC alone": "times in UTC are not those on the wall"},
    "single sign-on": {"credentials": "a server on another origin, behind a single sign-on"},
    "promises": {"one that a task returns": "a promise that a task returns"},
}
