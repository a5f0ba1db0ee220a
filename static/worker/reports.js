/** How an attempt ends: with its report, or a cancel; and what a running task says. */
(function (parts) {
  'use strict';

  var Error = parts.Error;
  var Math = parts.Math;
  var PHASE = parts.PHASE;
  var Worker = parts.Worker;
  var clip = parts.clip;
  var copy = parts.copy;
  var errorFields = parts.errorFields;
  var isOverdue = parts.isOverdue;
  var own = parts.own;
  var resultMessage = parts.resultMessage;
  var toJson = parts.toJson;
  var utf8Length = parts.utf8Length;
  var walk = parts.walk;
  var writeMessage = parts.writeMessage;

  var PROGRESS_MS = 250;

  /** Whether a result may still count: the server ended the attempt, but nobody ended the job. */
  function mayCount(reason) {
    return own({ timed_out: 1, no_heartbeat: 1, stale: 1, unknown_attempt: 1 }, reason) === 1;
  }

  /** The task has ended. An attempt that is no longer known was given up meanwhile. */
  Worker.prototype._ended = function (attempt, failed, outcome) {
    if (this._attempts[attempt.id] !== attempt || attempt.phase !== PHASE.RUNNING) {
      return;
    }
    this._env.clearTimeout(attempt.timer);
    if (attempt.cancelled !== null && (failed || !mayCount(attempt.cancelled))) {
      this._giveUp(attempt);
      return;
    }
    if (failed) {
      this._fault('E-JOB-01', attempt.type + ': ' + clip(errorFields(outcome).message, 200));
      this._report(attempt, this._failure(attempt, errorFields(outcome)), false, 'E-JOB-01');
    } else {
      this._reportValue(attempt, outcome);
    }
  };

  Worker.prototype._reportValue = function (attempt, value) {
    var json;
    var size;
    var limit = this._settings.result_limit;
    var text;
    try {
      json = toJson(value === undefined ? null : value);
      if (json === undefined) {
        throw new Error('a function is not JSON');
      }
    } catch (e) {
      this._fault('E-JOB-03', attempt.type + ': ' + clip(e && e.message, 200));
      this._report(attempt, this._failure(attempt, {
        message: 'the result cannot be written as JSON: ' + clip(e && e.message, 500),
        code: 'unserialisable',
        retry: false
      }), false, 'E-JOB-03');
      return;
    }
    text = resultMessage(attempt.id, json);
    size = utf8Length(json);
    if (size > limit || size + text.length - json.length + 1 > this._postLimit()) {
      this._fault('E-JOB-02', attempt.type + ': ' + size + ' bytes, and ' + limit + ' are taken');
      this._report(attempt, this._failure(attempt, {
        message: 'the result takes ' + size + ' bytes, the server takes ' + limit,
        code: 'result_too_large',
        retry: false
      }), false, 'E-JOB-02');
      return;
    }
    this._report(attempt, text, true);
  };

  Worker.prototype._postLimit = function () {
    return this._engine ? this._engine.byteLimit() : this._settings.post_limit || Infinity;
  };

  Worker.prototype._failure = function (attempt, fields) {
    return writeMessage('error', {
      attempt: attempt.id,
      message: fields.message,
      stack: fields.stack,
      code: fields.code,
      retry: fields.retry
    });
  };

  /** Stash the report before it is first sent: a reload must not lose it. code: of a failure. */
  Worker.prototype._report = function (attempt, text, succeeded, code) {
    if (!succeeded && attempt.task.snapshot) {
      this._logSnapshot(attempt);
    }
    attempt.phase = PHASE.ENDED;
    attempt.text = text;
    attempt.queued = null;
    attempt.sentAt = -Infinity;
    attempt.times = 0;
    if (attempt.cancelled === null) {  // of a late result the verdict says what became of it
      this._remember(attempt, succeeded ? 'done' : 'failed', code);
    }
    this._shelf.set('stash.' + attempt.id, text);
    this._count(attempt, succeeded ? 'done' : 'failed');
    this._say(attempt);
    this._emit('ended', { attempt: attempt.id, type: attempt.type, succeeded: succeeded });
    this._changed();
  };

  /** The attempt is over, with nothing to report: its slot is free. */
  Worker.prototype._giveUp = function (attempt) {
    this._env.clearTimeout(attempt.timer);
    if (attempt.startedAt !== null) {
      this._rememberOver(attempt);
    }
    this._forget(attempt);
    this._release(attempt.id, 'cancelled');
    this._changed();
  };

  Worker.prototype._onCancel = function (message) {
    var attempt = own(this._attempts, message.attempt);
    if (!attempt) {
      this._release(message.attempt, 'cancelled');
      return;
    }
    if (isOverdue(message.reason)) {
      attempt.overdue = true;
      this._count(attempt, 'failed');
    }
    if (attempt.phase !== PHASE.ENDED) {
      this._cancel(attempt, message.reason);
    }
  };

  /**
   * Drop a task that has not begun. A running one holds its slot until it has ended, or until
   * the functions that it gave to onCancel have stopped it.
   */
  Worker.prototype._cancel = function (attempt, reason) {
    if (attempt.phase !== PHASE.RUNNING) {
      this._giveUp(attempt);
      return;
    }
    if (attempt.cancelled === null) {
      attempt.cancelled = reason;
      attempt.cancelledDate = this._env.date();
      attempt.job.cancelled = true;
      this._rememberOver(attempt);
      this._note('cancel (' + clip(reason, 50) + ') of a job of type ' + attempt.type);
      this._tellTask(attempt, copy(attempt.cancels));
    } else if (!mayCount(reason)) {
      attempt.cancelled = reason;  // its value no longer counts
    }
    this._changed();
  };

  Worker.prototype._tellTask = function (attempt, fns) {
    var self = this;
    var stopped = fns.length > 0;
    walk(fns, function (fn) {
      try {
        stopped = fn(attempt.cancelled) !== false && stopped;
      } catch (e) {
        stopped = false;
        self._fault('E-JOB-01', attempt.type + ', in onCancel: ' + clip(e && e.message, 200));
      }
    });
    if (stopped && this._attempts[attempt.id] === attempt && attempt.phase === PHASE.RUNNING) {
      this._giveUp(attempt);
    }
  };

  // -- what a running task says

  Worker.prototype._talks = function (attempt) {
    return this._attempts[attempt.id] === attempt && attempt.phase === PHASE.RUNNING &&
      attempt.cancelled === null;
  };

  /** Send at most four a second, each the newest: a task may call it in its innermost loop. */
  Worker.prototype._progress = function (attempt, percent, note) {
    var self = this;
    var fields = { attempt: attempt.id, percent: undefined, note: undefined };
    var wait;
    if (!this._talks(attempt)) {
      return;
    }
    if (typeof percent === 'number' && percent === percent) {
      fields.percent = Math.max(0, Math.min(100, percent));
    }
    if (note !== undefined && note !== null) {
      fields.note = clip(note, 2000);
    }
    if (attempt.progress) {
      attempt.progress = fields;  // the timer will send it
      return;
    }
    attempt.progress = fields;
    wait = attempt.progressAt + PROGRESS_MS - this._env.now();
    if (wait <= 0) {
      this._sendProgress(attempt);
    } else {
      this._env.setTimeout(function () { self._sendProgress(attempt); }, wait);
    }
  };

  Worker.prototype._sendProgress = function (attempt) {
    var fields = attempt.progress;
    attempt.progress = null;
    if (!fields || !this._talks(attempt)) {
      return;
    }
    attempt.progressAt = this._env.now();
    attempt.shown = fields;
    this._send(writeMessage('progress', fields));
    this._changed();
  };

  /**
   * Also what a task says while it is being cancelled: people want to know how far it got. By its
   * number the server knows a line that is said again.
   */
  Worker.prototype._log = function (attempt, line) {
    if (this._attempts[attempt.id] !== attempt || attempt.phase !== PHASE.RUNNING) {
      return;
    }
    attempt.lines += 1;
    this._send(writeMessage('log', {
      attempt: attempt.id, line: clip(line, 2000), n: attempt.lines
    }));
  };
}(parts));
