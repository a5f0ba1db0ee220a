/** A worker's attempts from the offer to the running task. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var PHASE = parts.PHASE;
  var Worker = parts.Worker;
  var classOf = parts.classOf;
  var clip = parts.clip;
  var each = parts.each;
  var has = parts.has;
  var isObject = parts.isObject;
  var offered = parts.offered;
  var own = parts.own;
  var push = parts.push;
  var read = parts.read;
  var registry = parts.registry;

  Worker.prototype._busy = function () {
    var count = 0;
    each(this._attempts, function (attempt) {
      count += attempt.phase === PHASE.ENDED ? 0 : 1;
    });
    return count;
  };

  Worker.prototype._onJob = function (message) {
    var known = own(this._attempts, message.attempt);
    var attempt;
    if (known) {
      this._say(known);
      return;
    }
    if (!this._wants(message)) {
      this._note('declined a job of type ' + clip(message.type, 100));
      this._release(message.attempt, 'declined');
      return;
    }
    attempt = offered(message, registry[message.type]);
    this._attempts[attempt.id] = attempt;
    if (attempt.task.quick && !attempt.confirm) {
      this._begin(attempt);
    } else {
      this._say(attempt);
    }
    this._changed();
  };

  Worker.prototype._wants = function (message) {
    return has(this._types(), message.type) && !this._identity.record.paused &&
      !this._hold && !this._reloadWanted && this._busy() < this._options.slots &&
      !has(this._settled, message.attempt);
  };

  Worker.prototype._accepted = function (attempt) {
    if (this._attempts[attempt.id] !== attempt) {
      return;
    }
    attempt.acceptedAt = this._env.now();
    if (attempt.phase !== PHASE.OFFERED) {
      return;
    }
    if (attempt.confirm) {
      attempt.phase = PHASE.WAITING;
      this._changed();
    } else {
      this._begin(attempt);
    }
  };

  /**
   * The accept has arrived: a socket answers none in another way. It may start, then; with polling
   * this may overtake the answer to the accept, as they come on different connections.
   */
  Worker.prototype._onGo = function (message) {
    var attempt = own(this._attempts, message.attempt);
    if (!attempt || attempt.phase === PHASE.ENDED) {
      return;
    }
    attempt.acceptedAt = attempt.acceptedAt === null ? this._env.now() : attempt.acceptedAt;
    if (attempt.phase === PHASE.OFFERED || attempt.phase === PHASE.WAITING) {
      this._begin(attempt);
    }
  };

  Worker.prototype._begin = function (attempt) {
    attempt.phase = PHASE.RUNNING;
    attempt.startedAt = this._env.now();
    attempt.startedDate = this._env.date();
    attempt.job = this._jobFor(attempt);
    this._wonder(attempt);
    this._changed();
    this._emit('job', attempt.job);
    this._run(attempt);
    if (attempt.phase === PHASE.RUNNING && attempt.task.quick && attempt.acceptedAt === null) {
      this._acceptLate(attempt);
    }
  };

  /** The offer of a quick task that is not done soon would lapse. */
  Worker.prototype._acceptLate = function (attempt) {
    var self = this;
    var ttl = this._settings.offer_ttl_ms || 10000;
    attempt.timer = this._env.setTimeout(function () {
      attempt.timer = null;
      if (attempt.phase === PHASE.RUNNING && self._attempts[attempt.id] === attempt) {
        attempt.late = true;
        self._say(attempt);
      }
    }, Math.min(1000, ttl / 4));
  };

  /** A field that a job need not have. One that is not as it should be is left out. */
  function ofKind(kind, message, name, otherwise) {
    var value = own(message, name);
    return classOf(value) === kind ? value : otherwise;
  }

  Worker.prototype._jobFor = function (attempt) {
    var self = this;
    var message = attempt.message;
    return {
      id: message.id,
      type: message.type,
      data: message.data,
      text: message.dataText,
      number: message.number,
      timeoutMs: message.timeout_ms,
      summary: ofKind('[object String]', message, 'summary', null),
      tags: ofKind('[object Array]', message, 'tags', []),
      traceparent: ofKind('[object String]', message, 'traceparent', null),
      cancelled: false,
      progress: function (percent, note) { self._progress(attempt, percent, note); },
      log: function (line) { self._log(attempt, line); },
      onCancel: function (fn) {
        push(attempt.cancels, fn);
        if (attempt.cancelled !== null) {
          self._tellTask(attempt, [fn]);
        }
      }
    };
  };

  /** Run the task; its first end counts. */
  Worker.prototype._run = function (attempt) {
    var self = this;
    var over = false;
    var value;
    function end(failed, outcome) {
      if (over) {
        self._fault('E-JOB-04', attempt.type);
        return;
      }
      over = true;
      self._ended(attempt, failed, outcome);
    }
    function done(error, outcome) {
      var failed = error !== undefined && error !== null;
      end(failed, failed ? error : outcome);
    }
    try {
      value = attempt.task.fn(attempt.job, done);
      if (isObject(value) && typeof read(value, 'then') === 'function') {
        value.then(function (outcome) { end(false, outcome); },
          function (error) { end(true, error); });
      } else if (value !== undefined) {
        end(false, value);
      } else if (!over && attempt.task.fn.length < 2) {
        self._log(attempt, 'the task returned nothing and has no parameter done: it may never end');
      }
    } catch (e) {
      if (over) {
        self._fault('E-JOB-01', attempt.type + ' threw after its end: ' + clip(e, 200));
        return;
      }
      end(true, e);
    }
  };
}(parts));
