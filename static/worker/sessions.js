/** A worker's sessions: connecting again and again, repeating, sending. */
(function (parts) {
  'use strict';

  var Engine = parts.Engine;
  var Math = parts.Math;
  var PHASE = parts.PHASE;
  var STATE = parts.STATE;
  var Worker = parts.Worker;
  var each = parts.each;
  var exec = parts.exec;
  var keys = parts.keys;
  var push = parts.push;
  var take = parts.take;
  var walk = parts.walk;
  var writeMessage = parts.writeMessage;

  var TICK_MS = 1000;
  var OUTBOX_LIMIT = 500;
  //: So many polls in a row, each at least so old, tell of something on the way that cuts them.
  var CUTS = 3;
  var CUT_MIN_MS = 1000;
  var CUTS_WITHIN_MS = 600000;

  // -- sessions

  Worker.prototype._connect = function () {
    var self = this;
    var engine;
    this._env.clearTimeout(this._retryTimer);
    this._retryTimer = null;
    this._retryAt = null;
    this._shelf.remove('left');  // a connecting page lives: a copy of its window must not find this
    if (!this._types().length && !keys(this._unloaded()).length) {
      this._lose('E-TYP-01');
      this._fault('E-TYP-01', this._lacking());
      this._changed();
      return;
    }
    engine = new Engine(this._options, this._env, {
      onopen: function () { self._opened(); },
      onmessage: function (text) { self._received(text); },
      onmove: function () { self._moved(); },
      onstay: function (why, counts) { self._stayed(why, counts); },
      onclose: function (reason) {
        if (self._engine === engine) {
          self._closed(reason);
        }
      },
      mustArrive: mustArrive
    });
    this._engine = engine;
    engine.open();
    this._changed();
  };

  Worker.prototype._opened = function () {
    this._sessions += 1;
    this._note(this._engine.transport() === 'polling' ? 'connected' : 'connected by WebSocket');
    this._register();
    this._chooseTransport();
    this._changed();
  };

  /** A session is open: what became of its last socket, and may it have another? */
  Worker.prototype._chooseTransport = function () {
    if (this._choice.watch(this._engine)) {
      this._note('stays with long-polling for a day: ' +
        this._choice.describe(this._engine).reason);
      if (this._registered) {
        this._register();  // the console shows why
      }
    }
    if (this._choice.mayTry()) {
      this._engine.upgrade();
    }
  };

  Worker.prototype._moved = function () {
    this._note('moved to a WebSocket');
    this._changed();
  };

  /** See upgrade.js. */
  Worker.prototype._stayed = function (why, counts) {
    this._choice.failed(why, counts);
    this._note('no WebSocket: ' + why);
    this._changed();
  };

  /** Give up the session, but keep messages that matter. `last`: texts for a goodbye, or null. */
  Worker.prototype._leave = function (last) {
    var engine = this._engine;
    this._engine = null;
    if (engine) {
      this._keep(engine.unsent());
      if (last) {
        engine.close(last);
      } else {
        engine.abort();
      }
    }
    this._unregister();
    this._connectedAt = null;
    this._env.clearTimeout(this._retryTimer);
    this._retryTimer = null;
    this._retryAt = null;
  };

  Worker.prototype._unregister = function () {
    this._registered = false;
    this._registering = false;
    this._healthyAt = Infinity;
    each(this._attempts, function (attempt) { attempt.queued = null; });
  };

  /** Lines and releases wait for the next session; everything else is said anew there. */
  function mustArrive(text) {
    return exec(/^\{"op":"(log|released)"/, text) !== null;
  }

  /** What waits already was said later, while the page was registering. */
  Worker.prototype._keep = function (texts) {
    var later = take(this._outbox, Infinity);
    this._wait(texts);
    this._wait(later);
  };

  Worker.prototype._wait = function (texts) {
    var self = this;
    walk(texts, function (text) {
      if (mustArrive(text) && self._outbox.length < OUTBOX_LIMIT) {
        push(self._outbox, text);
      }
    });
  };

  Worker.prototype._closed = function (reason) {
    var atOnce = reason.code === 'E-NET-05' && this._failures === 0;
    this._keep(this._engine.unsent());
    this._choice.closed(this._engine, reason);
    this._engine = null;
    this._connectedAt = null;
    this._unregister();
    this._refusedAs(reason.refusal);
    this._seeCut(reason);
    this._lose(reason.code);
    this._fault(reason.code, reason.detail);
    this._failures += 1;
    this._retryIn(atOnce ? 0 : this._backoff());
    this._changed();
  };

  /** The server does not have this page any more; since when stays as it was at first. */
  Worker.prototype._lose = function (code) {
    var away = this._away || { at: this._env.now(), date: this._env.date() };
    this._away = { code: code, at: away.at, date: away.date };
  };

  /**
   * Polls that end at the same age again and again, of sessions that had opened well: then it is
   * not the server that fails. Such a page need not come back more slowly each time.
   */
  Worker.prototype._seeCut = function (reason) {
    var now = this._env.now();
    if (reason.cutMs === null || reason.cutMs < CUT_MIN_MS) {
      return;
    }
    push(this._cuts, { at: now, date: this._env.date(), ms: reason.cutMs });
    take(this._cuts, Math.max(0, this._cuts.length - CUTS));
    if (this._isCut(now)) {
      reason.code = 'E-NET-12';
      reason.detail = 'after about ' + Math.round(reason.cutMs / 1000) +
        ' s; jobs still come, some seconds late';
      this._failures = 0;
    }
  };

  /** Whether the last polls were cut, all at the same age. */
  Worker.prototype._isCut = function (now) {
    var shortest = Infinity;
    var longest = 0;
    walk(this._cuts, function (cut) {
      shortest = Math.min(shortest, cut.ms);
      longest = Math.max(longest, cut.ms);
    });
    return this._cuts.length === CUTS && now - this._cuts[0].at < CUTS_WITHIN_MS &&
      longest - shortest <= longest / 5;
  };

  /** `words`: the server's, where it refuses this page; null: the trouble is another one. */
  Worker.prototype._refusedAs = function (words) {
    if (words || this._refusal) {
      this._trouble = words ? STATE.NOT_ALLOWED : null;
    }
    this._refusal = words;
  };

  /** Full jitter: anywhere between the shortest wait and a ceiling that doubles. */
  Worker.prototype._backoff = function () {
    var low = this._options.backoffMinMs;
    var doubled = low * Math.pow(2, Math.min(this._failures, 20));
    var ceiling = Math.min(this._options.backoffMaxMs, doubled);
    return low + this._env.random() * (ceiling - low);
  };

  Worker.prototype._retryIn = function (ms) {
    var self = this;
    this._env.clearTimeout(this._retryTimer);
    this._retryAt = this._env.now() + ms;
    this._retryTimer = this._env.setTimeout(function () { self._connect(); }, ms);
  };

  /** Once a second: repeat what is due, and look at the clock. */
  Worker.prototype._tick = function () {
    var self = this;
    var now = this._env.now();
    this._tickTimer = this._env.setTimeout(function () { self._tick(); }, TICK_MS);
    this._watch(now);
    if (this._engine) {
      this._engine.check();
    }
    if (this._engine && this._engine.isOpen()) {
      this._chooseTransport();
    }
    if (now >= this._healthyAt) {
      this._failures = 0;
      this._healthyAt = Infinity;
    }
    this._identity.claim();
    this._repeat(now);
    this._askDoubts(now);
    this._whenIdle();
  };

  Worker.prototype._repeat = function (now) {
    var self = this;
    var due = now - this._settings.repeat_ms;
    if (!this._engine || !this._engine.isOpen()) {
      return;
    }
    if (!this._registered) {
      if (!this._registering && this._registerAt <= due) {
        this._register();
      }
      return;
    }
    this._repeatEnding(now);
    each(this._attempts, function (attempt) {
      if (!attempt.queued && attempt.sentAt <= due) {
        self._say(attempt);
      }
    });
  };

  // -- sending

  Worker.prototype._send = function (text, sent) {
    if (this._registered) {
      this._engine.send(text, sent);
    } else {
      this._wait([text]);
    }
  };

  /** The server takes lines behind the accept of their attempt, and before its report. */
  Worker.prototype._sayAgain = function () {
    var self = this;
    function sayThose(ended) {
      each(self._attempts, function (attempt) {
        if ((attempt.phase === PHASE.ENDED) === ended) {
          self._say(attempt);
        }
      });
    }
    sayThose(false);
    walk(take(this._outbox, Infinity), function (text) { self._send(text); });
    sayThose(true);
  };

  /** What the server must hear about an attempt: its report, or the accept it may have missed. */
  Worker.prototype._say = function (attempt) {
    var self = this;
    var text;
    if (!this._registered || attempt.queued) {
      return;
    }
    if (attempt.phase === PHASE.RUNNING && attempt.acceptedAt !== null) {
      return;  // `holding` tells the server
    }
    if (attempt.phase === PHASE.RUNNING && attempt.task.quick && !attempt.late) {
      return;
    }
    text = attempt.phase === PHASE.ENDED ? attempt.text : accept(attempt);
    attempt.queued = text;
    this._engine.send(text, function (arrived) {
      if (attempt.queued === text) {
        attempt.queued = null;
        attempt.sentAt = self._env.now();
        attempt.times += 1;
      }
      if (attempt.phase !== PHASE.ENDED && arrived) {
        self._accepted(attempt);
      }
    });
  };

  function accept(attempt) {
    return writeMessage('accept', { attempt: attempt.id });
  }

  Worker.prototype._release = function (id, reason) {
    this._send(writeMessage('released', { attempt: id, reason: reason }));
  };

  parts.TICK_MS = TICK_MS;
}(parts));
