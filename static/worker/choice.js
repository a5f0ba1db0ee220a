/** Which transport a page uses, and why. It remembers that sockets do not last where it stands. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var Number = parts.Number;
  var ORDINARY = parts.ORDINARY;
  var String = parts.String;
  var exec = parts.exec;
  var has = parts.has;
  var own = parts.own;
  var parseObject = parts.parseObject;
  var toJson = parts.toJson;

  var NAMES = ['auto', 'polling', 'websocket'];
  var KEY = 'sockets';
  //: A socket that has lived so long is a good one.
  var SHORT_MS = 60000;
  //: So long after a socket that failed the next one is tried.
  var AGAIN_MS = 60000;
  //: After so many failures in a row a page stays with polling for so long.
  var FAILURES = 2;
  var DAY_MS = 86400000;
  //: A page that was silent for so much longer than it may be has slept; no socket is to blame.
  var SLEPT_MS = 10000;
  //: So begins why a socket failed that had carried a session; all others never did.
  var MOVED = /^E-/;

  /** `wanted`: what the page was told: auto, polling, websocket. */
  function Choice(wanted, shelf, env) {
    var known = parseObject(shelf.get(KEY)) || {};
    this.known = has(NAMES, wanted);
    this.wanted = this.known ? wanted : 'auto';
    this._shelf = shelf;
    this._env = env;
    this._failures = Number(own(known, 'failures')) || 0;
    this._why = String(own(known, 'why') || '');
    this._at = Number(own(known, 'at')) || 0;
    this._doubt = null;         // {why, at}: a failure that counts if polling works
    this._againAt = -Infinity;
  }

  /** Until when (the wall clock) the page stays with polling; null: it does not. */
  Choice.prototype.until = function () {
    var age = this._env.date() - this._at;
    return this._failures >= FAILURES && age >= 0 && age < DAY_MS ? this._at + DAY_MS : null;
  };

  /** Whether a socket may be tried now. */
  Choice.prototype.mayTry = function () {
    return this.wanted === 'auto' && !!this._env.socket && this._env.now() >= this._againAt &&
      this.until() === null;
  };

  /**
   * A socket came to nothing. `counts`: that may speak against sockets; it does if polling works,
   * because then the server is not just down.
   */
  Choice.prototype.failed = function (why, counts) {
    this._againAt = this._env.now() + AGAIN_MS;
    this._why = why;
    this._doubt = counts ? { why: why, at: this._env.now() } : null;
  };

  /** A session is open. Says whether the page stays with polling from now on. */
  Choice.prototype.watch = function (engine) {
    var since = engine.socketSince();
    var doubt = this._doubt;
    if (doubt && engine.heardAt >= doubt.at) {
      this._doubt = null;
      this._keep(this.until() === null && this._failures >= FAILURES ? 1 : this._failures + 1,
        doubt.why);
      return this.until() !== null;
    }
    if (since !== null && engine.heardAt - since >= SHORT_MS) {
      this._lasted();
    }
    return false;
  };

  /** The session is over. */
  Choice.prototype.closed = function (engine, reason) {
    var since = engine.socketSince();
    var livedMs = (reason.code === 'E-NET-08' ? engine.heardAt : this._env.now()) - since;
    if (since === null || this.wanted !== 'auto') {
      this._doubt = null;  // polling fails too
    } else if (livedMs >= SHORT_MS) {
      this._lasted();
    } else if (this._speaksAgainst(engine, reason)) {
      this.failed(reason.code + ', after ' + Math.round(livedMs / 1000) + ' s', true);
    }
  };

  Choice.prototype._speaksAgainst = function (engine, reason) {
    var silentMs = this._env.now() - engine.heardAt;
    return own(ORDINARY, reason.closeCode) !== 1 && reason.code !== 'E-NET-09' &&
      silentMs < engine.silenceMs + SLEPT_MS;
  };

  Choice.prototype._lasted = function () {
    this._doubt = null;
    if (this._why) {
      this._keep(0, '');
    }
  };

  Choice.prototype._keep = function (failures, why) {
    this._failures = failures;
    this._why = why;
    this._at = this._env.date();
    if (failures) {
      this._shelf.set(KEY, toJson({ failures: failures, why: why, at: this._at }));
    } else {
      this._shelf.remove(KEY);
    }
  };

  /**
   * {transport, reason, until}: what carries a session, or would; why it is polling, in words
   * after "because", or null; until when it stays so.
   */
  Choice.prototype.describe = function (engine) {
    var polls = engine ? engine.transport() === 'polling' : this.wanted !== 'websocket';
    return {
      transport: polls ? 'polling' : 'websocket',
      reason: polls ? this._reason(engine) : null,
      until: polls && this.wanted === 'auto' ? this.until() : null
    };
  };

  Choice.prototype._reason = function (engine) {
    if (this.wanted === 'polling') {
      return 'this page was told so';
    }
    if (!this._env.socket) {
      return 'this browser has no WebSocket';
    }
    if (engine && engine.isOpen() && !engine.offers('websocket')) {
      return 'this server refuses WebSocket';
    }
    if (this._why && !exec(MOVED, this._why)) {
      return 'no WebSocket could be set up (' + this._why + ')';
    }
    if (this.until() !== null) {
      return 'sockets failed twice (' + this._why + ')';
    }
    return this._why ? 'the last socket failed (' + this._why + ')' : null;
  };

  parts.Choice = Choice;
}(parts));
