/** One attempt of a job in this page. */
(function (parts) {
  'use strict';

  /** Where an attempt stands in this page. */
  var PHASE = {
    OFFERED: 'offered',   // the accept is on its way
    WAITING: 'waiting',   // accepted; `go` has not come
    RUNNING: 'running',
    ENDED: 'ended'        // its report is repeated until there is a verdict
  };

  /**
   * All that a worker keeps about an attempt. Made by one of the two functions below.
   * @constructor
   * @param {string} id
   * @param {string} type of its job; '' if it is not known any more
   */
  function Attempt(id, type) {
    this.id = id;
    this.type = type;
    this.phase = PHASE.OFFERED;
    // The offer.
    this.message = null;
    this.task = null;
    this.confirm = false;
    // What the server must hear about it: an accept, or its report.
    this.text = null;           // the report
    this.queued = null;         // its message in the session's queue
    this.sentAt = -Infinity;
    this.times = 0;             // how often the message has been sent
    this.replaced = false;      // its result could not be read and an error took its place
    this.acceptedAt = null;
    this.late = false;          // its quick task takes so long that it needs an accept after all
    this.timer = null;
    // The task that runs.
    this.job = null;
    this.startedAt = null;
    this.startedDate = null;
    this.cancelled = null;      // the reason
    this.overdue = false;       // the server has ended it: it took too long, or was silent
    this.counted = '';          // among the tries of today: done, failed, or in neither
    this.cancelledDate = null;
    this.cancels = [];          // the functions that the task gave to onCancel
    this.progress = null;       // not yet sent
    this.progressAt = -Infinity;
    this.lines = 0;             // so many it has logged
    this.shown = { percent: undefined, note: undefined };  // sent last
  }

  /** An attempt that the server offers: the message `job`, and the task for it. */
  function offered(message, task) {
    var attempt = new Attempt(message.attempt, message.type);
    attempt.message = message;
    attempt.task = task;
    attempt.confirm = message.confirm === true;
    return attempt;
  }

  /** An attempt that had ended in an earlier load of this page: only its report is left. */
  function stashed(id, report) {
    var attempt = new Attempt(id, '');
    attempt.phase = PHASE.ENDED;
    attempt.text = report;
    return attempt;
  }

  /** Whether the server has ended an attempt itself, for such a reason: it has failed then. */
  function isOverdue(reason) {
    return reason === 'timed_out' || reason === 'no_heartbeat';
  }

  parts.PHASE = PHASE;
  parts.isOverdue = isOverdue;
  parts.offered = offered;
  parts.stashed = stashed;
}(parts));
