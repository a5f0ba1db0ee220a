/** What people see of a worker. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var PHASE = parts.PHASE;
  var STATE = parts.STATE;
  var VERSION = parts.VERSION;
  var Worker = parts.Worker;
  var copy = parts.copy;
  var each = parts.each;
  var isOverdue = parts.isOverdue;
  var push = parts.push;
  var walk = parts.walk;

  var RESTART_MS = 120000;

  Worker.prototype._state = function () {
    if (!this._running) {
      return STATE.STOPPED;
    }
    if (this._trouble) {
      return this._trouble;
    }
    if (!this._types().length) {
      return STATE.STOPPED;  // it may be connected, to say what it could not load
    }
    if (!this._registered) {
      if (this._draining && !this._isLong(this._away)) {
        return STATE.MAINTENANCE;
      }
      return this._everConnected || this._failures ? STATE.RECONNECTING : STATE.CONNECTING;
    }
    if (this._draining) {
      return STATE.MAINTENANCE;
    }
    if (this._busy()) {
      return this._stuckTypes() ? STATE.STUCK : STATE.WORKING;
    }
    return this._identity.record.paused || this._hold ? STATE.PAUSED : STATE.READY;
  };

  /** Whether the server is away for longer than a restart takes. */
  Worker.prototype._isLong = function (away) {
    return away !== null && this._env.now() - away.at >= RESTART_MS;
  };

  /** What stands wrong now: {code, since}, or null. */
  Worker.prototype._standing = function (jobs) {
    var standing = null;
    var cuts = this._cuts;
    if (!this._running) {
      return this._hold && this._hold.leave && this._over ?
        { code: 'E-DRN-01', since: this._over.since } : null;
    }
    if (this._draining && !this._isLong(this._away)) {
      return { code: 'E-SRV-01', since: this._drainedAt };
    }
    if (this._isCut(this._env.now())) {
      return { code: 'E-NET-12', since: cuts[0].date };
    }
    if (this._away) {
      return { code: this._away.code, since: this._away.date };
    }
    walk(jobs, function (job) {
      if (job.cancelled && !standing) {
        standing = { code: 'E-JOB-05', since: job.cancelledAt };
      }
    });
    return standing;
  };

  /**
   * A snapshot. Times: `…At` and `since` are ms of the wall clock, `…Ms` are durations.
   * jobs: [{attempt, id, type, number, phase, startedAt, percent, note, cancelled, cancelledAt,
   * over, reloadAt}]. over: '', 'cancelled' or 'timed out'. reloadAt: when the server will reload
   * a page whose cancelled task goes on.
   * labels: values by name, those that count: an operator or a token may have given others
   * than sentLabels, those of the page; badLabels: the labels that are not sent, in words.
   * paused: by the person at the page. hold: {by, reason, leave, mayEnd, ending, again}, an
   * operator keeps it from jobs, or null. leave: it stops when it has nothing to do, and may be
   * started again. mayEnd: resume() ends that, too. ending: it was ended here, and the server has
   * not answered. again: when it was started again, and heard the same; or null.
   * refusal: the words of a server that refuses this page, or null.
   * error: {code, text, detail, whose, at} or null; whose: whose fault it is, in a sentence.
   * standing: {code, since, text, whose}, what is wrong at this moment, or null.
   * past: the last jobs, the newest first: [{at, attempt, id, type, summary, outcome, code}].
   * outcome: done, failed, cancelled, timed_out, or too_late. code: of what went wrong, or ''.
   * slowness: {hiddenSince, slowSince, still: {ms, at}}, what the browser does to the page; null
   * where it is not so.
   * doubt: {attempt, question, why, state, happened, more}, what the person is asked about a job in
   * doubt, or null. why: timed_out, lost, released, or '' if the server does not say. state: asked;
   * telling, the answer is on its way; noted, it counts; decided, by somebody else. happened: the
   * answer. more: how many questions follow.
   * connection: {transport, reason, until}: polling or websocket; why it is polling, in words after
   * "because", or null; until when it stays so, or null. null: there is no session.
   * otherWindow: the name of another worker in this browser, or null.
   * retryMs and heardMs: null if there is none.
   */
  Worker.prototype.status = function () {
    var now = this._env.now();
    var today = this._today();
    var unreported = 0;
    var jobs = [];
    var reloadAfter = this._settings.reload_after_ms;
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.ENDED) {
        unreported += 1;
      } else {
        push(jobs, describeAttempt(attempt, reloadAfter));
      }
    });
    if (this._engine && this._engine.isOpen()) {
      this._heardAt = this._engine.heardAt;
    }
    return {
      state: this._state(),
      retryMs: this._retryAt === null ? null : Math.max(0, this._retryAt - now),
      failures: this._failures,
      paused: this._identity.record.paused,
      hold: this._describeHold(),
      registered: this._registered,
      name: this._name,
      labels: this._given || this._labels.sent,
      sentLabels: this._labels.sent,
      badLabels: this._labels.bad,
      worker: this._identity.record.worker,
      server: this._options.url || origin(this._env.location),
      types: this._types(),
      since: this._registered ? this._connectedAt : null,
      heardMs: this._heardAt === null ? null : now - this._heardAt,
      jobs: jobs,
      unreported: unreported,
      done: today.done,
      failed: today.failed,
      refusal: this._refusal,
      error: this._error,
      past: this._describePast(),
      slowness: this._describeSlowness(),
      doubt: this._doubt(),
      standing: inWords(this._standing(jobs)),
      connection: this._engine ? this._choice.describe(this._engine) : null,
      otherWindow: this._identity.other(),
      events: copy(this._events),
      version: VERSION,
      page: this._describe()
    };
  };

  /** A trouble with its sentence, and with whose fault it is. */
  function inWords(standing) {
    if (standing) {
      standing.text = parts.CODES[standing.code];
      standing.whose = parts.blame(standing.code);
    }
    return standing;
  }

  function describeAttempt(attempt, reloadAfter) {
    var at = attempt.cancelledDate;
    var shown = attempt.shown;
    return {
      attempt: attempt.id,
      id: attempt.message.id,
      type: attempt.type,
      number: attempt.message.number,
      phase: attempt.phase,
      startedAt: attempt.startedDate,
      percent: shown.percent === undefined ? null : shown.percent,
      note: shown.note === undefined ? null : shown.note,
      cancelled: attempt.cancelled !== null,
      cancelledAt: at,
      over: attempt.cancelled === null ? '' :
        isOverdue(attempt.cancelled) ? 'timed out' : 'cancelled',
      reloadAt: at !== null && reloadAfter > 0 ? at + reloadAfter : null
    };
  }

  /** Old document modes have no location.origin. */
  function origin(location) {
    return location.host ? location.protocol + '//' + location.host : '';
  }
}(parts));
