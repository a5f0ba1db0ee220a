/**
 * Jobs that may be done only once, and whose task says doubt: 'ask'. If the page goes away while
 * one runs, nobody knows whether it was done: then the person at the page is asked.
 *
 * The question is kept with the worker's identity before the job starts, so whoever is this worker
 * next asks it. Whether the job is in doubt the server says: the page asks it again and again,
 * about those jobs that it does not have any more.
 */
(function (parts) {
  'use strict';

  var Worker = parts.Worker;
  var clip = parts.clip;
  var each = parts.each;
  var keys = parts.keys;
  var own = parts.own;
  var writeMessage = parts.writeMessage;

  var QUESTIONS_KEPT = 20;
  var QUESTION_LENGTH = 300;
  var THANKS_MS = 10000;

  /** What the person is asked if this job comes to be in doubt. */
  function questionOf(attempt) {
    var asks = attempt.task.asks;
    var text = typeof asks === 'function' ? asks(attempt.job.data, attempt.job) : asks;
    return clip(text || 'Was this done: ' + (attempt.job.summary || attempt.type) + '?',
      QUESTION_LENGTH);
  }

  /** The job is about to start. */
  Worker.prototype._wonder = function (attempt) {
    var doubts = this._identity.record.doubts;
    if (!attempt.confirm || attempt.task.asks === null) {
      return;
    }
    if (keys(doubts).length >= QUESTIONS_KEPT) {
      delete doubts[keys(doubts)[0]];
    }
    try {
      doubts[attempt.id] = {
        job: attempt.message.id, question: questionOf(attempt), happened: null
      };
    } catch (e) {
      this._log(attempt, 'nobody will be asked, as the task\'s ask failed: ' +
        clip(e && e.message, 200));
    }
    this._identity.save();
  };

  /** It is known what became of the job. */
  Worker.prototype._dispel = function (id) {
    if (own(this._identity.record.doubts, id)) {
      delete this._identity.record.doubts[id];
      delete this._doubtful[id];
      this._identity.save();
    }
  };

  /** The longest unasked first, one at a time. A server that sets no time knows no questions. */
  Worker.prototype._askDoubts = function (now) {
    var self = this;
    var settings = this._settings;
    var next = null;
    var since = Infinity;
    if (!this._registered || !settings.doubt_ms) {
      return;
    }
    each(this._identity.record.doubts, function (note, id) {
      var at = own(self._askedAt, id) || -Infinity;
      var wait = note.happened === null ? settings.doubt_ms : settings.repeat_ms;
      if (!own(self._attempts, id) && now - at >= wait && at < since) {
        next = id;
        since = at;
      }
    });
    if (next !== null) {
      this._askDoubt(next);
    }
  };

  Worker.prototype._askDoubt = function (id) {
    var note = this._identity.record.doubts[id];
    var answered = note.happened !== null;
    this._askedAt[id] = this._env.now();
    this._engine.send(writeMessage('doubt', {
      attempt: id,
      job: note.job,
      happened: answered ? note.happened : undefined,
      question: answered ? note.question : undefined
    }));
  };

  Worker.prototype._onDoubt = function (message) {
    var id = message.attempt;
    var note = own(this._identity.record.doubts, id);
    if (!note) {
      return;
    }
    if (message.state === 'in_doubt' || message.state === 'running') {
      this._doubtful[id] = message.state === 'in_doubt' ?
        { why: clip(message.reason || '', 50) } : null;
    } else {
      if (note.happened !== null) {
        this._thanks = {
          attempt: id,
          question: note.question,
          state: message.state === 'noted' ? 'noted' : 'decided',
          happened: note.happened,
          until: this._env.now() + THANKS_MS
        };
      }
      this._dispel(id);
    }
    this._changed();
  };

  /**
   * The person at the page says whether it happened. It is repeated until the server has said that
   * it counts, or that others have decided.
   */
  Worker.prototype.answer = function (id, happened) {
    var note = own(this._identity.record.doubts, id);
    if (!note || note.happened !== null) {
      return;
    }
    note.happened = happened === true;
    this._identity.save();
    this._note('answered ' + (note.happened ? 'yes' : 'no') + ': ' + note.question);
    if (this._registered) {
      this._askDoubt(id);
    }
    this._changed();
  };

  /**
   * What the person is asked, or told of the answer, one after the other: {attempt, question, why,
   * state, happened, more}, or null. more: how many questions follow. A worker that has stopped
   * asks nothing, as nobody would hear the answer.
   */
  Worker.prototype._doubt = function () {
    var self = this;
    /** @type {any} */
    var first = null;
    var count = 0;
    var thanks = this._thanks;
    if (!this._running) {
      return null;
    }
    each(this._identity.record.doubts, function (note, id) {
      var doubtful = own(self._doubtful, id);
      if (doubtful) {
        count += 1;
        first = first || {
          attempt: id,
          question: note.question,
          why: doubtful.why,
          state: note.happened === null ? 'asked' : 'telling',
          happened: note.happened,
          more: 0
        };
      }
    });
    if (thanks && this._env.now() < thanks.until) {
      return {
        attempt: thanks.attempt,
        question: thanks.question,
        why: '',
        state: thanks.state,
        happened: thanks.happened,
        more: count
      };
    }
    if (first) {
      first.more = count - 1;
    }
    return first;
  };
}(parts));
