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
   * All that a worker keeps of an attempt. Made by one of the two functions below.
   * @constructor
   * @param {string} id
   * @param {string} type of its job; '' where nobody knows any more
   */
  function Attempt(id, type) {
    this.id = id;
    this.type = type;
    this.phase = PHASE.OFFERED;
    // The offer.
    this.message = null;
    this.task = null;
    this.confirm = false;
    // What is to be said of it: an accept, or its report.
    this.text = null;           // the report
    this.queued = null;         // what of it waits in the session's queue
    this.sentAt = -Infinity;
    this.times = 0;             // how often it has been said
    this.replaced = false;      // its result could not be read and an error took its place
    this.acceptedAt = null;
    this.late = false;          // a quick task that takes so long that it needs an accept after all
    this.timer = null;
    // The task that runs.
    this.job = null;
    this.startedAt = null;
    this.startedDate = null;
    this.cancelled = null;      // the reason
    this.cancels = [];          // what the task gave to onCancel
    this.progress = null;       // what is not yet sent
    this.progressAt = -Infinity;
    this.shown = { percent: undefined, note: undefined };  // what was sent last
  }

  /** An attempt that the server offers: the message `job`, and the task for it. */
  function offered(message, task) {
    var attempt = new Attempt(message.attempt, message.type);
    attempt.message = message;
    attempt.task = task;
    attempt.confirm = message.confirm === true;
    return attempt;
  }

  /** One that had ended in an earlier load of this page: its report is all that is left. */
  function stashed(id, report) {
    var attempt = new Attempt(id, '');
    attempt.phase = PHASE.ENDED;
    attempt.text = report;
    return attempt;
  }

  parts.PHASE = PHASE;
  parts.offered = offered;
  parts.stashed = stashed;
}(parts));
