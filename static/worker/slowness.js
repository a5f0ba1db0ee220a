/**
 * What a browser does to a page that nobody looks at: it is hidden, its timers come late, it stands
 * still. That is noted for the people at the page and at the server, who would take it for a crash.
 */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var PHASE = parts.PHASE;
  var TICK_MS = parts.TICK_MS;
  var Worker = parts.Worker;
  var each = parts.each;

  var LATE_MS = 2000;
  //: So late a timer is not slow any more: the page stood still. Hidden pages get one a minute.
  var STILL_MS = 5000;
  var STILL_HIDDEN_MS = 65000;
  //: So many timers in a row make the page slow, or as usual again.
  var IN_A_ROW = 3;
  //: Who looks away for a moment has not hidden it.
  var HIDDEN_MS = 10000;
  //: The server is told no more often.
  var TELL_MS = 30000;
  //: What had waited for the page comes first: a pong above all.
  var SETTLED_MS = 5000;
  //: So long it is told of a standstill.
  var STILL_KEPT_MS = 3600000;

  /** hidden: {at, date, noted}, slow: {date}, still: {ms, at, date}, or null each. */
  function nothingSeen() {
    return {
      tickAt: null,
      inARow: 0,      // timers that were late; below 0: that were not
      hidden: null,
      slow: null,
      still: null,
      told: '',
      toldAt: -Infinity
    };
  }

  /** Once a second, if the browser lets it. */
  Worker.prototype._watch = function (now) {
    var seen = this._slowness;
    var late = seen.tickAt === null ? 0 : now - seen.tickAt - TICK_MS;
    var hidden = this._env.document.hidden === true;
    seen.tickAt = now;
    if (late >= (hidden || seen.hidden ? STILL_HIDDEN_MS : STILL_MS)) {
      this._stoodStill(late, now);
    } else {
      this._seeLate(late);
    }
    this._seeHidden(hidden, now);
    if (seen.told !== keyOf(seen) && now - seen.toldAt >= TELL_MS) {
      seen.toldAt = now;
      this._untold = true;
      this._tellMentioned();
    }
  };

  Worker.prototype._stoodStill = function (ms, now) {
    var self = this;
    var seen = this._slowness;
    var text = 'the page stood still for ' + Math.round(ms / 1000) + ' s';
    seen.still = { ms: ms, at: now, date: this._env.date() };
    seen.toldAt = Math.max(seen.toldAt, now - TELL_MS + SETTLED_MS);
    this._note(text);
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.RUNNING) {
        self._log(attempt, text);  // the server may have given it up meanwhile
      }
    });
    this._changed();
  };

  Worker.prototype._seeLate = function (late) {
    var seen = this._slowness;
    seen.inARow = late >= LATE_MS ? Math.max(0, seen.inARow) + 1 : Math.min(0, seen.inARow) - 1;
    if (!seen.slow && (seen.inARow >= IN_A_ROW || late >= STILL_MS)) {
      seen.slow = { date: this._env.date() };
      this._note('the timers of the page come late');
    } else if (seen.slow && seen.inARow <= -IN_A_ROW) {
      seen.slow = null;
      this._note('the timers of the page come in time again');
    }
  };

  Worker.prototype._seeHidden = function (hidden, now) {
    var seen = this._slowness;
    if (hidden && !seen.hidden) {
      seen.hidden = { at: now, date: this._env.date(), noted: false };
    } else if (hidden && !seen.hidden.noted && now - seen.hidden.at >= HIDDEN_MS) {
      seen.hidden.noted = true;
      this._note('the page is in the background', seen.hidden.date);
    } else if (!hidden && seen.hidden) {
      if (seen.hidden.noted) {
        this._note('the page is in sight again');
      }
      seen.hidden = null;
    }
  };

  /** When it is another one, the server does not know yet how it is. */
  function keyOf(seen) {
    return (seen.hidden && seen.hidden.noted ? 'h' : '') + (seen.slow ? 's' : '') +
      (seen.still ? seen.still.at : '');
  }

  /** For the server. Durations, as the clock of this PC may be wrong. */
  Worker.prototype._addSlowness = function (facts) {
    var seen = this._slowness;
    var now = this._env.now();
    var still = seen.still && now - seen.still.at < STILL_KEPT_MS ? seen.still : null;
    if (seen.hidden && seen.hidden.noted) {
      facts.hidden_for_ms = Math.round(now - seen.hidden.at);
    }
    if (seen.slow) {
      facts.slow_timers = true;
    }
    if (still) {
      facts.stood_still_ms = Math.round(still.ms);
      facts.stood_still_ago_ms = Math.round(now - still.at);
    }
  };

  /** The server hears it with what it is told now. */
  Worker.prototype._toldSlowness = function () {
    this._slowness.told = keyOf(this._slowness);
  };

  /** For people: {hiddenSince, slowSince, still: {ms, at}}; null where it is not so. */
  Worker.prototype._describeSlowness = function () {
    var seen = this._slowness;
    return {
      hiddenSince: seen.hidden && seen.hidden.noted ? seen.hidden.date : null,
      slowSince: seen.slow ? seen.slow.date : null,
      still: seen.still && { ms: seen.still.ms, at: seen.still.date }
    };
  };

  parts.nothingSeen = nothingSeen;
}(parts));
