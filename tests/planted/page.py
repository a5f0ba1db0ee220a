"""Bugs in the page's half of the protocol: in ``static/worker/`` and in the simulated page of the SDK."""

from __future__ import annotations

from tests.planted.bug import Bug

__all__ = ["BUGS"]

PAGE, SDK = "static/worker/", "dispatcher/sdk/simulator/"

SIM = "tests/sim/test_sim.py"
BY_WORKER = "tests/page/test_worker.py"
BY_ATTEMPTS = "tests/page/test_attempts.py"
BY_MEMORY = "tests/page/test_memory.py"
BY_ENGINE = "tests/page/test_engine.py"
BY_TROUBLE = "tests/page/test_engine_trouble.py"
BY_SDK = "tests/sdk/test_page.py tests/sdk/test_page_batches.py"

BUGS = {
    # the worker page
    "a page sends a result before it is in the stash": Bug(
        PAGE + "reports.js",
        "    this._shelf.set('stash.' + attempt.id, text);\n    this._count(succeeded);\n    this._say(attempt);\n",
        "    this._say(attempt);\n    this._shelf.set('stash.' + attempt.id, text);\n    this._count(succeeded);\n",
        BY_MEMORY,
    ),
    "a page keeps no stash": Bug(
        PAGE + "reports.js",
        "    this._shelf.set('stash.' + attempt.id, text);\n    this._count",
        "    this._count",
        BY_MEMORY,
    ),
    "a page empties its stash when the result is sent": Bug(
        PAGE + "sessions.js",
        "        attempt.times += 1;\n",
        "        attempt.times += 1;\n        self._shelf.remove('stash.' + attempt.id);\n",
        BY_MEMORY,
    ),
    "a page does not repeat a result": Bug(
        PAGE + "sessions.js",
        "if (!attempt.queued && attempt.sentAt <= due) {",
        "if (!attempt.queued && attempt.sentAt < 0 && attempt.sentAt <= due) {",
        BY_WORKER,
    ),
    "a page does not repeat register": Bug(
        PAGE + "sessions.js", "if (!this._registering && this._registerAt <= due) {", "if (false) {", BY_WORKER
    ),
    "a page does not say in a new session what it has": Bug(
        PAGE + "sessions.js", "      each(this._attempts, function (attempt) { self._say(attempt); });\n", "", BY_WORKER
    ),
    "a page's boot outlives its reload": Bug(
        PAGE + "worker.js",
        "    this._boot = randomId(env);\n",
        "    this._boot = this._shelf.get('boot') || randomId(env);\n    this._shelf.set('boot', this._boot);\n",
        BY_MEMORY,
    ),
    "a page starts a task before its accept has arrived": Bug(
        PAGE + "attempts.js", "if (attempt.task.quick && !attempt.confirm) {", "if (!attempt.confirm) {", BY_WORKER
    ),
    "a page does not wait for go": Bug(
        PAGE + "attempts.js", "    if (attempt.confirm) {\n", "    if (false) {\n", BY_WORKER
    ),
    "a page runs an attempt again whose verdict has come": Bug(
        PAGE + "attempts.js", " && this._settled.indexOf(message.attempt) < 0", "", BY_WORKER
    ),
    "a page runs an offer that comes again a second time": Bug(
        PAGE + "attempts.js",
        "    if (known) {\n      this._say(known);\n",
        "    if (known && known.phase === PHASE.ENDED) {\n      this._say(known);\n",
        BY_WORKER,
    ),
    "a page takes one job more than its slots": Bug(
        PAGE + "attempts.js", "this._busy() < this._options.slots", "this._busy() <= this._options.slots", BY_WORKER
    ),
    "a cancel throws a page's result away": Bug(
        PAGE + "reports.js",
        "    } else if (attempt.phase !== PHASE.ENDED) {\n      this._cancel(",
        "    } else {\n      this._cancel(",
        BY_ATTEMPTS,
    ),
    "a cancelled task is not released": Bug(
        PAGE + "reports.js",
        "    this._forget(attempt);\n    this._release(attempt.id, 'cancelled');\n",
        "    this._forget(attempt);\n",
        BY_ATTEMPTS,
    ),
    "a release is lost with its session": Bug(PAGE + "sessions.js", "(log|released)", "(log)", BY_ATTEMPTS),
    "a page sends a label that the server refuses": Bug(
        PAGE + "labels.js", "      if (why) {\n", "      if (false) {\n", "tests/page/test_labels.py"
    ),
    "a page sends a result that is too large": Bug(
        PAGE + "reports.js", "    if (size > limit || ", "    if (", BY_ATTEMPTS
    ),
    "a page forgets its messages when it sends them": Bug(
        PAGE + "posts.js",
        "    this._flying = count;\n",
        "    this._queue.splice(0, count);\n    this._flying = 0;\n",
        BY_ENGINE,
    ),
    "a page takes what came meanwhile for sent": Bug(
        PAGE + "posts.js", "this._queue.splice(0, this._flying)", "this._queue.splice(0)", BY_ENGINE
    ),
    "a page forgets the ping that came during a POST": Bug(
        PAGE + "posts.js", "    this._pongs -= pongs;\n", "    this._pongs = 0;\n", BY_ENGINE
    ),
    "a page posts beside a POST": Bug(
        PAGE + "posts.js", "if (this._corked || this._post || ", "if (this._corked || ", BY_ENGINE
    ),
    "a page's polls can be answered from a cache": Bug(PAGE + "engine.js", "&t=' + stamp +", "' +", BY_ENGINE),
    "a page polls as fast as it can when polls say nothing": Bug(
        PAGE + "engine.js", "    if (this._idle < 3) {\n", "    if (true) {\n", BY_ENGINE
    ),
    "a page obeys half of an answer that is damaged": Bug(
        PAGE + "engine.js",
        "        return null;\n      }\n    }\n    return packets;\n",
        "        return packets.slice(0, i);\n      }\n    }\n    return packets;\n",
        BY_TROUBLE,
    ),
    "a page takes a proxy's page for an answer to its POST": Bug(
        PAGE + "posts.js", "    if (!/^\\s*ok\\s*$/i.test(text)) {\n", "    if (false) {\n", BY_TROUBLE
    ),
    # the simulated page
    "a simulated page starts a task before its accept has arrived": Bug(
        SDK + "hands.py",
        "            self._accept(held)\n\n    def _accept",
        "            self._accept(held)\n            self._start(held, now)\n\n    def _accept",
        BY_SDK,
    ),
    "a simulated page keeps no stash": Bug(SDK + "page.py", "        self.stash.put(entry)\n", "", SIM),
    "a simulated page does not repeat a result": Bug(
        SDK + "page.py", "for report in self.stash.due(now):", "for report in []:", BY_SDK
    ),
    "a simulated page says nothing again in a new session": Bug(
        SDK + "page.py", "        for report in self.stash:\n            self._send_report(report)\n", "", BY_SDK
    ),
    "a simulated page drops its stash when the result is sent": Bug(
        SDK + "stash.py",
        "            report.queued, report.due = False, due\n",
        "            report.queued, report.due = False, due\n            self.pop(attempt)\n",
        SIM,
    ),
    "a simulated page holds nothing after a lost session": Bug(
        SDK + "page.py", "holding=self.hands.holding(now)", "holding=[]", SIM
    ),
    "a simulated page answers no ping": Bug(
        SDK + "session.py", "return self._pongs > 0", "return False", "tests/sdk/test_driver.py"
    ),
    "a simulated page runs an offer again that comes again": Bug(
        SDK + "hands.py",
        "        if held.phase is not Phase.RUNNING:\n            self._accept(held)\n\n    def _take_on",
        "        self._start(held, 0.0)\n\n    def _take_on",
        BY_SDK,
    ),
}
