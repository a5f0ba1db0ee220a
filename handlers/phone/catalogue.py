"""What each code of the worker page means: for whoever is told one by telephone.

docs/codes.md has the same table, and static/worker/codes.js the words of the page; tests hold the three together. **A
new code goes to the end**: the place of a code here is a part of what people read aloud (``spoken``).
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["BLAME", "TROUBLES", "CodeMeaning"]


class CodeMeaning(Struct, frozen=True):
    """One code."""

    code: str
    #: What the page says, in a sentence.
    text: str
    #: With backticks around what is typed.
    cause: str
    #: Whose fault it is: a name of ``BLAME``.
    whose: str
    help: str


#: Whose fault it is -> in words.
BLAME = {
    "network": "the server or the network, not that PC",
    "server": "the server, not that PC",
    "proxy": "something between that PC and the server, not that PC",
    "address": "the address of the page, not that PC",
    "task": "the task, not that PC",
    "browser": "the browser of that PC, or its settings",
    "page": "the page, or the scripts on it",
}
TROUBLES = (
    CodeMeaning(
        "E-NET-01",
        "The server cannot be reached.",
        "The server is off, the network is down, or a firewall is between; or a WebSocket broke on the "
        "way. From another origin also: it is not in `--allow-origin`",
        "network",
        "Leave the page open: it comes back by itself. Look whether the server is running",
    ),
    CodeMeaning(
        "E-NET-02",
        "The server did not answer in time.",
        "The network is very slow, or the server is overloaded",
        "network",
        "Leave the page open. See the server's log",
    ),
    CodeMeaning(
        "E-NET-03",
        "The server did not take a message in time.",
        "As E-NET-02, or a proxy holds requests back",
        "network",
        "Leave the page open. See the server's log",
    ),
    CodeMeaning(
        "E-NET-04",
        "Something other than the server answered, perhaps a proxy or a login page.",
        "A proxy's or a hotel's login page, a single sign-on that has run out",
        "proxy",
        "Open the server's address in a window of this browser, and sign in",
    ),
    CodeMeaning(
        "E-NET-05",
        "The server no longer knows this connection.",
        "The server was restarted, or the page was away for too long",
        "network",
        "Nothing: the page makes a new connection",
    ),
    CodeMeaning(
        "E-NET-06",
        "The server answered with an error.",
        "The server is starting or overloaded, or the proxy before it cannot reach it",
        "server",
        "Read the words behind the code. See the server's log",
    ),
    CodeMeaning(
        "E-NET-07",
        "The server closed the connection.",
        "The server stops, or two windows used one connection",
        "server",
        "Leave the page open: it comes back by itself",
    ),
    CodeMeaning(
        "E-NET-08",
        "The connection was silent for too long.",
        "The PC has slept, or a connection broke without a word",
        "network",
        "Nothing: the page makes a new connection",
    ),
    CodeMeaning(
        "E-NET-09",
        "The network was away.",
        "A cable, the wireless network or a VPN",
        "network",
        "Nothing: the page makes a new connection",
    ),
    CodeMeaning(
        "E-NET-10",
        "This browser does not let the page make requests.",
        "A security zone, or a policy of the browser",
        "browser",
        "Put the server's address into the trusted sites",
    ),
    CodeMeaning(
        "E-NET-11",
        "The list of tasks could not be loaded.",
        "As E-NET-01 or E-NET-06, when the page was opened",
        "network",
        "Leave the page open: it tries again",
    ),
    CodeMeaning(
        "E-NET-12",
        "Something on the way cuts waiting requests, probably a proxy.",
        "A proxy or firewall ends each request, or each WebSocket, after some seconds; the page waits up "
        "to 20 s for a job",
        "proxy",
        "Let requests to `/engine.io/` wait for 60 s there (nginx: `proxy_read_timeout 60s`). Until then "
        "jobs come some seconds late",
    ),
    CodeMeaning(
        "E-NET-13",
        "This page may use nothing but a WebSocket, and gets none.",
        "The address (or `Pagehand.start`) says `transport=websocket`, and the server or something on the"
        " way refuses WebSockets; the words behind the code say which",
        "address",
        "Take `transport=websocket` out of the address. Or let WebSockets through, at `/engine.io/`",
    ),
    CodeMeaning(
        "E-ORG-01",
        "The server refuses this page because of its address.",
        "The Host or Origin of the page is not one that the server knows",
        "address",
        "Do what the server's words say (`--allow-host`, `--allow-origin`, `--public-url`)",
    ),
    CodeMeaning(
        "E-TOK-01",
        "The server needs a token, and this page has none.",
        "The address lacks `#token=…`, or the window was opened again without it",
        "address",
        "Open the page with `#token=…` at the end of its address",
    ),
    CodeMeaning(
        "E-TOK-02",
        "The token of this page is wrong.",
        "The server has another token by now, or one character was not percent-encoded",
        "address",
        "Open the page with the right token. Write `%` as `%25`, `&` as `%26`, `#` as `%23`",
    ),
    CodeMeaning(
        "E-TOK-03",
        "The token of this page was revoked or has expired.",
        "An administrator has ended the token with which the page was opened, or its time is over",
        "address",
        "Ask whoever runs the server for a new token, and open the page with it",
    ),
    CodeMeaning(
        "E-TOK-04",
        "Too many wrong tokens have come from where this page is.",
        "Somebody guesses, or pages with different old tokens are behind the same proxy",
        "address",
        "Nothing: the page comes back by itself. Pages with tokens that were made for them (`pagehand "
        "token create --scope worker`) are never slowed",
    ),
    CodeMeaning(
        "E-TOK-05",
        "The token for joining is used up: as many pages have joined as may.",
        "All uses of the `#join=…` in the address are spent; a browser that keeps nothing spends one with each load",
        "address",
        "Ask whoever runs the server for a new address (`pagehand token create NAME --scope worker --join --uses 30`)",
    ),
    CodeMeaning(
        "E-TOK-06",
        "Another window of this browser has the credential of this page.",
        "The tab was duplicated",
        "address",
        "Close one of the two, or open this one with an address for joining, which makes it a worker of its own",
    ),
    CodeMeaning(
        "E-BLK-01",
        "An operator of the server has blocked this worker.",
        "Somebody has blocked it on the server, with a reason that the page shows",
        "server",
        "Ask whoever runs the server; when it is unblocked, the page comes back by itself within five minutes",
    ),
    CodeMeaning(
        "E-ADR-01",
        "The address of this page has a part that is unknown or wrong.",
        "A typing error, such as `?type=` for `?types=` or `?slots=65`",
        "address",
        "Correct the address",
    ),
    CodeMeaning(
        "E-OPT-01",
        "An option of Pagehand.start is unknown.",
        "A typing error in the page, such as `nmae` for `name`",
        "page",
        "Correct the option; the words behind the code name it",
    ),
    CodeMeaning(
        "E-VER-01",
        "This page is older or newer than the server.",
        "The server was upgraded, and a cache has the old page",
        "page",
        "Load the page again (Ctrl+F5)",
    ),
    CodeMeaning(
        "E-MSG-01",
        "The server refused a message of this page.",
        "Too many types, a result that the server cannot read, another library than the server's",
        "page",
        "Read the words behind the code",
    ),
    CodeMeaning(
        "E-MSG-02",
        "The server sent a message that this page does not understand.",
        "The page is older than the server",
        "page",
        "Load the page again (Ctrl+F5)",
    ),
    CodeMeaning(
        "E-JOB-01",
        "A task failed.",
        "The task threw, or called `done` with an error",
        "task",
        "Look at the job: it has the error",
    ),
    CodeMeaning(
        "E-JOB-02",
        "A result was too large.",
        "The result is larger than `--body-limit`",
        "task",
        "Return less, or raise the limit",
    ),
    CodeMeaning(
        "E-JOB-03",
        "A result could not be written as JSON.",
        "The result refers to itself, or is a function",
        "task",
        "Return plain values",
    ),
    CodeMeaning(
        "E-JOB-04",
        "A task called done more than once.",
        "Two callbacks ended the task; the first one counts",
        "task",
        "Call `done` once",
    ),
    CodeMeaning(
        "E-JOB-05",
        "A job that was cancelled or timed out does not stop.",
        "The task hangs, or has no `onCancel`",
        "task",
        "Wait: the page reloads, after a minute by default. Give the task an `onCancel`",
    ),
    CodeMeaning(
        "E-LBL-01",
        "A label of this page is wrong and is not sent.",
        "`labels` in the address has a bad name or value",
        "address",
        "Correct the address",
    ),
    CodeMeaning(
        "E-JS-01",
        "A script on this page failed.",
        "An error that no script has caught, of a task or of the page around it",
        "page",
        "Read the words behind the code",
    ),
    CodeMeaning(
        "E-TSK-01",
        "A task file does not work.",
        "A syntax error, or the file registers no task of its own name",
        "task",
        "The words behind the code name file and line",
    ),
    CodeMeaning(
        "E-TYP-01",
        "This page has no tasks.",
        "No script has called `Pagehand.task`, or `types` names others",
        "page",
        "Register a task, or correct `types`",
    ),
    CodeMeaning(
        "E-TYP-02",
        "The server has no such task.",
        "`?types=` in the address names a file that is not in the directory of tasks",
        "address",
        "Correct the address, or add the file",
    ),
    CodeMeaning(
        "E-OLD-01",
        "This browser, or its mode, is too old.",
        "Internet Explorer before version 11, or Compatibility View",
        "browser",
        "Switch the browser control to IE 11 (`FEATURE_BROWSER_EMULATION` 11001)",
    ),
    CodeMeaning(
        "E-SRV-01",
        "The server is being restarted.",
        "Whoever runs the server stops or upgrades it; jobs that run are finished first",
        "server",
        "Nothing: the page comes back by itself. Two minutes after the server has gone it shows E-NET-01",
    ),
    CodeMeaning(
        "E-DRN-01",
        "An operator of the server has ended the work of this page.",
        "Somebody has drained the worker: it has finished what it had, and has left. The page says who, and why",
        "server",
        "Let it have jobs again on the worker's page of the console, then press `Reconnect now` on the page",
    ),
)
