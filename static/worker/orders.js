/** Obeys the server's messages. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var Number = parts.Number;
  var PHASE = parts.PHASE;
  var STATE = parts.STATE;
  var String = parts.String;
  var TICK_MS = parts.TICK_MS;
  var Worker = parts.Worker;
  var clip = parts.clip;
  var codedError = parts.codedError;
  var each = parts.each;
  var join = parts.join;
  var keys = parts.keys;
  var only = parts.only;
  var own = parts.own;
  var push = parts.push;
  var readMessage = parts.readMessage;
  var slice = parts.slice;
  var take = parts.take;
  var walk = parts.walk;

  var RELOAD_MS = 60000;
  var SETTLED_KEPT = 64;
  /** What the page shows, by the code with which the server turns it away. */
  var TURNED_AWAY = {
    blocked: 'E-BLK-01',
    token_ended: 'E-TOK-03',
    too_many_wrong_tokens: 'E-TOK-04',
    join_used_up: 'E-TOK-05',
    other_window: 'E-TOK-06'
  };

  Worker.prototype._received = function (text) {
    var message;
    try {
      message = readMessage(text);
    } catch (e) {
      this._fault('E-MSG-02', e.message);
      return;
    }
    this._obey(message);
  };

  Worker.prototype._obey = function (message) {
    switch (message.op) {
      case 'registered': this._onRegistered(message); break;
      case 'identity': this._onIdentity(message); break;
      case 'credential': this._onCredential(message); break;
      case 'job': this._onJob(message); break;
      case 'go': this._onGo(message); break;
      case 'recorded': this._onRecorded(message.attempt, message.verdict); break;
      case 'cancel': this._onCancel(message); break;
      case 'drain': this._onDrain(true); break;
      case 'resume': this._onDrain(false); break;
      case 'reload': this._onReload(message); break;
      case 'hold': this._onHold(message); break;
      case 'doubt': this._onDoubt(message); break;
      case 'refused': this._onRefused(message); break;
      default: throw codedError('unknown_op', message.op);
    }
  };

  Worker.prototype._onDrain = function (draining) {
    this._draining = draining;
    this._drainedAt = this._env.date();
    this._note(draining ? 'the server is about to stop' : 'the server goes on');
    this._changed();
  };

  /** An operator keeps this page from jobs, or nobody does any more. */
  Worker.prototype._onHold = function (message) {
    var hold = message.paused ? {
      by: clip(message.by || '', 100),
      reason: clip(message.reason || '', 200),
      leave: message.leave === true,
      since: typeof message.since_ms === 'number' ? message.since_ms : null
    } : null;
    if (!hold) {
      this._note(this._isEnding(this._hold) ? 'the pause of an operator is over' :
        'an operator lets this page have jobs');
    } else if (!this._isEnding(hold) && (hold.since === null || hold.since !== this._noted)) {
      this._note((hold.leave ? 'an operator ends the work of this page' : 'paused by an operator') +
        (hold.reason ? ': ' + hold.reason : ''));
    }
    this._hold = hold;
    this._noted = hold && hold.since;
    this._sayEnding();
    this._whenIdle();
    this._changed();
  };

  Worker.prototype._onReload = function (message) {
    if (message.idle === true) {
      this._reloadWanted = true;
      this._whenIdle();
    } else {
      this.reload();
    }
  };

  /** The types of the tasks that do not stop, in words; '' as a rule. */
  Worker.prototype._stuckTypes = function () {
    var types = [];
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.RUNNING && attempt.cancelled !== null) {
        push(types, clip(attempt.type, 100));
      }
    });
    return join(types, ', ');
  };

  /** Whoever comes to the page after such a reload reads why there was one. */
  Worker.prototype._sayStuck = function () {
    var types = this._shelf.get('stuck');
    if (types) {
      this._shelf.remove('stuck');
      this._fault('E-JOB-05', clip(types, 300) + ', so this page was loaded anew');
    }
  };

  /** Obey the orders that wait until this page has nothing to do, and nothing to tell. */
  Worker.prototype._whenIdle = function () {
    if (!this._running || !this._registered || keys(this._attempts).length) {
      return;
    }
    if (this._hold && this._hold.leave) {
      this._endWork();
    } else if (this._reloadWanted && this._mayReload()) {
      this._reloadWanted = false;
      this.reload();
    }
  };

  /** An operator has ended our work. Whoever starts us again may hear the same once more. */
  Worker.prototype._endWork = function () {
    var of = this._hold.since;
    var date = this._env.date();
    var same = this._over !== null && this._over.of === of;
    this._over = { of: of, since: same ? this._over.since : date, again: same ? date : null };
    this.stop();
  };

  Worker.prototype._mayReload = function () {
    var last = this._shelf.persistent ? Number(this._shelf.get('reloaded')) : this._loadedAt;
    var age = this._env.date() - last;
    return age < 0 || age >= RELOAD_MS;
  };

  /** Not more than once a minute, so that a mistake does not become a storm. */
  Worker.prototype.reload = function () {
    if (!this._mayReload()) {
      this._note('the server asked for a second reload within a minute: ignored');
      return false;
    }
    this._shelf.set('reloaded', String(this._env.date()));
    this._shelf.set('stuck', this._stuckTypes());
    this._note('reloading');
    this._env.location.reload();
    return true;
  };

  Worker.prototype._onRecorded = function (id, verdict) {
    var attempt = own(this._attempts, id);
    if (attempt && attempt.phase === PHASE.ENDED) {
      this._count(attempt, verdict === 'stale' ? '' : attempt.counted);
      this._forget(attempt);
    }
    if (verdict === 'stale') {
      this._correct(id, 'too_late', '');
    } else {
      this._correct(id, 'done', '');
      this._dispel(id);
    }
    if (verdict !== 'recorded') {
      this._note('verdict ' + clip(verdict, 50) + ' on ' + slice(id, 0, 8));
    }
    this._changed();
  };

  Worker.prototype._forget = function (attempt) {
    delete this._attempts[attempt.id];
    this._shelf.remove('stash.' + attempt.id);
    push(this._settled, attempt.id);
    if (this._settled.length > SETTLED_KEPT) {
      take(this._settled, 1);
    }
  };

  Worker.prototype._onRefused = function (message) {
    var attempt = message.attempt ? own(this._attempts, message.attempt) : undefined;
    var turnedAway = own(TURNED_AWAY, message.code);

    if (turnedAway) {
      this._turnedAway(STATE.NOT_ALLOWED, turnedAway, message.detail);
    } else if (message.code === 'bad_token') {
      turnedAway = this._hasToken() ? 'E-TOK-02' : 'E-TOK-01';
      this._turnedAway(STATE.NOT_ALLOWED, turnedAway, message.detail);
    } else if (message.code === 'bad_version') {
      this._turnedAway(STATE.OUT_OF_DATE, 'E-VER-01', message.detail);
      this._outdated();
    } else if (message.code === 'not_registered') {
      this._registerAgain();
    } else if (attempt) {
      this._fault('E-MSG-01', message.code + ': ' + clip(message.detail, 300));
      this._refusedAttempt(attempt, message.code, message.detail);
    } else if (!message.attempt) {
      this._fault('E-MSG-01', message.code + ': ' + clip(message.detail, 300));
      if (this._registered && message.code !== 'types_full') {
        this._onUnreadable(message.detail);
      } else if (!this._registered) {
        this._turnedAway(null, null, '');  // `register` was refused: asking again at once is no use
      }
    }
    this._changed();
  };

  /**
   * The server could not read a message far enough to name its attempt. Only a result can be
   * so odd (nested a thousand deep, say), and it would be repeated and refused for ever: report an
   * error instead. If several results are open, report it for those that keep coming back.
   */
  Worker.prototype._onUnreadable = function (detail) {
    var self = this;
    var suspects = [];
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.ENDED && attempt.times > 0) {
        push(suspects, attempt);
      }
    });
    if (suspects.length > 1) {
      suspects = only(suspects, function (attempt) { return attempt.times >= 3; });
    }
    walk(suspects, function (attempt) { self._replace(attempt, detail); });
  };

  /** The server cannot read this result: report an error instead, once. */
  Worker.prototype._replace = function (attempt, detail) {
    if (attempt.replaced) {
      this._forget(attempt);
      return;
    }
    attempt.replaced = true;
    attempt.times = 0;
    this._correct(attempt.id, 'failed', 'E-MSG-01');
    this._count(attempt, 'failed');
    attempt.queued = null;
    attempt.text = this._failure(attempt, {
      message: 'the server cannot read the result: ' + clip(detail, 500),
      code: 'unserialisable',
      retry: false
    });
    this._shelf.set('stash.' + attempt.id, attempt.text);
    this._say(attempt);
  };

  Worker.prototype._refusedAttempt = function (attempt, code, detail) {
    if (attempt.phase === PHASE.ENDED && code === 'bad_message') {
      this._replace(attempt, detail);
    } else if (attempt.phase === PHASE.ENDED) {
      this._forget(attempt);
    } else if (code === 'unknown_attempt') {
      this._cancel(attempt, code);
    }
  };

  /** The server knows the session but not us: register again, but not in a storm. */
  Worker.prototype._registerAgain = function () {
    if (this._registered || (!this._registering && this._env.now() - this._registerAt > TICK_MS)) {
      this._unregister();
      this._register();
    }
  };

  /** The server refuses us for a reason that only people can mend: come back slowly. */
  Worker.prototype._turnedAway = function (state, code, detail) {
    this._trouble = state;
    this._lose(code || 'E-MSG-01');
    if (code) {
      this._fault(code, clip(detail, 300));
    }
    this._leave([]);
    this._failures += 1;
    this._refusals += 1;
    this._retryIn(this._slowBackoff());
  };

  Worker.prototype._slowBackoff = function () {
    var ceiling = Math.min(300000, 30000 * Math.pow(2, Math.min(this._refusals - 1, 10)));
    return ceiling * (0.5 + this._env.random() / 2);
  };

  /** A reload brings the right page, unless a cache has the old one: then once is enough. */
  Worker.prototype._outdated = function () {
    if (this._shelf.persistent && !this._shelf.get('outdated') && this.reload()) {
      this._shelf.set('outdated', '1');
    }
  };
}(parts));
