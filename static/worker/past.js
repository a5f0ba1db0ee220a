/**
 * The last jobs of this worker and the counts of its tries of today, for the person at the page.
 * They are kept with its identity, so a reload keeps them; neither data nor results are among them.
 */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var Number = parts.Number;
  var Worker = parts.Worker;
  var clip = parts.clip;
  var isOverdue = parts.isOverdue;
  var localDay = parts.localDay;
  var only = parts.only;
  var own = parts.own;
  var push = parts.push;
  var take = parts.take;
  var walk = parts.walk;

  var KEPT = 5;
  var NAME_LENGTH = 100;

  /**
   * A job has ended here, each once. outcome: done, failed, cancelled or timed_out. code: of what
   * went wrong; '' where nothing did. The caller keeps the record.
   */
  Worker.prototype._remember = function (attempt, outcome, code) {
    var past = only(this._identity.record.past, function (job) {
      return job.attempt !== attempt.id;
    });
    this._identity.record.past = past;
    push(past, {
      at: this._env.date(),
      attempt: attempt.id,
      id: clip(attempt.message.id, NAME_LENGTH),
      type: attempt.type,
      summary: clip(attempt.job.summary || '', NAME_LENGTH),
      outcome: outcome,
      code: code || ''
    });
    take(past, Math.max(0, past.length - KEPT));
  };

  /** The server has ended it, whether or not its task stops: a reload would take it away. */
  Worker.prototype._rememberOver = function (attempt) {
    this._remember(attempt, isOverdue(attempt.cancelled) ? 'timed_out' : 'cancelled');
    this._identity.keep();
  };

  /** The server has judged otherwise than the page. What has failed stays so. */
  Worker.prototype._correct = function (id, outcome, code) {
    var identity = this._identity;
    walk(identity.record.past, function (job) {
      if (job.attempt === id && job.outcome !== 'failed' && job.outcome !== outcome) {
        job.outcome = outcome;
        job.code = code;
        identity.keep();
      }
    });
  };

  /**
   * A try has ended, done or failed; '': in neither way. The server counts it once, when it ends
   * there, and so does this: as failed where the server has ended it, and not at all if it was
   * cancelled. What it counted as before is taken back.
   */
  Worker.prototype._count = function (attempt, as) {
    var today = this._today();
    var counts = attempt.overdue ? 'failed' : attempt.cancelled === null ? as : '';
    if (counts === attempt.counted) {
      return;
    }
    if (attempt.counted) {
      today[attempt.counted] = Math.max(0, today[attempt.counted] - 1);
    }
    if (counts) {
      today[counts] += 1;
    }
    attempt.counted = counts;
    this._identity.record.today = today;
    this._identity.keep();
  };

  /** What an earlier load of this page has counted it as, today. */
  Worker.prototype._countedAs = function (id) {
    var day = this._today().day;
    var found = only(this._identity.record.past, function (job) {
      return job.attempt === id && localDay(job.at) === day &&
        (job.outcome === 'done' || job.outcome === 'failed');
    });
    return found.length ? found[0].outcome : '';
  };

  Worker.prototype._today = function () {
    var day = localDay(this._env.date());
    var today = this._identity.record.today;
    if (own(today, 'day') !== day) {
      return { day: day, done: 0, failed: 0 };
    }
    return {
      day: day,
      done: Number(own(today, 'done')) || 0,
      failed: Number(own(today, 'failed')) || 0
    };
  };

  /** The newest first: [{at, attempt, id, type, summary, outcome, code}]. */
  Worker.prototype._describePast = function () {
    var past = this._identity.record.past;
    var told = [];
    var i;
    for (i = past.length - 1; i >= 0; i -= 1) {
      push(told, past[i]);
    }
    return told;
  };
}(parts));
