/**
 * The last jobs of this worker, for the person at the page. They are kept with its identity, so a
 * reload keeps them; neither data nor results are among them.
 */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var Worker = parts.Worker;
  var clip = parts.clip;
  var push = parts.push;
  var take = parts.take;
  var walk = parts.walk;

  var KEPT = 5;
  var NAME_LENGTH = 100;

  /**
   * A job has ended here. outcome: done, failed, cancelled or timed_out. code: of what went wrong;
   * '' where nothing did. The caller keeps the record.
   */
  Worker.prototype._remember = function (attempt, outcome, code) {
    var past = this._identity.record.past;
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

  /** The server has judged otherwise than the page. */
  Worker.prototype._correct = function (id, outcome, code) {
    var identity = this._identity;
    walk(identity.record.past, function (job) {
      if (job.attempt === id && job.outcome === 'done') {
        job.outcome = outcome;
        job.code = code;
        identity.keep();
      }
    });
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
