/**
 * The person at the page pauses the worker, or resumes it. To resume also ends the pause of an
 * operator, if the server has said since when that is: by this it knows which one is meant.
 *
 * What the person has ended is kept with the worker's identity, and is said again whenever the
 * server still says that it holds: after a reload, in another session, or a while later.
 */
(function (parts) {
  'use strict';

  var Worker = parts.Worker;
  var writeMessage = parts.writeMessage;

  Worker.prototype.pause = function () {
    this._setPaused(true);
  };

  Worker.prototype.resume = function () {
    var hold = this._hold;
    this._setPaused(false);
    if (mayEnd(hold) && !this._isEnding(hold)) {
      this._identity.record.ended = hold.since;
      this._identity.save();
      this._note('somebody here ends the pause of ' + (hold.by || 'an operator'));
      this._sayEnding();
      this._changed();
    }
  };

  Worker.prototype._setPaused = function (paused) {
    var record = this._identity.record;
    if (record.paused === paused) {
      return;
    }
    record.paused = paused;
    record.ended = paused ? null : record.ended;  // whoever pauses here ends nothing any more
    this._identity.save();
    this._note(paused ? 'paused' : 'resumed');
    this._sayPause();
    this._changed();
  };

  /**
   * `told`: the server may believe that we pause. It remembers that longer than a session, so only
   * a `resume` that has arrived ends it.
   */
  Worker.prototype._sayPause = function () {
    var identity = this._identity;
    var record = identity.record;
    if (!this._registered) {
      return;
    }
    if (record.paused) {
      record.told = true;
      identity.save();
      this._engine.send(writeMessage('pause', {}));
    } else if (record.told) {
      this._engine.send(writeMessage('resume', {}), null, function () {
        record.told = record.paused;
        identity.save();
      });
    }
  };

  /** Nobody here ends the order to stop, nor what an older server says. */
  function mayEnd(hold) {
    return hold !== null && hold.since !== null && !hold.leave;
  }

  /** Whether the person has ended it, and the server has not. */
  Worker.prototype._isEnding = function (hold) {
    return mayEnd(hold) && this._identity.record.ended === hold.since;
  };

  Worker.prototype._sayEnding = function () {
    if (this._registered && this._isEnding(this._hold)) {
      this._endedAt = this._env.now();
      this._engine.send(writeMessage('resume', { held_since_ms: this._hold.since }));
    }
  };

  /** Once a second: the server may have had no room for it. */
  Worker.prototype._repeatEnding = function (now) {
    if (now - this._endedAt >= this._settings.repeat_ms) {
      this._sayEnding();
    }
  };

  /** For people: {by, reason, leave, mayEnd, ending, again}, or null. */
  Worker.prototype._describeHold = function () {
    var hold = this._hold;
    return hold && {
      by: hold.by,
      reason: hold.reason,
      leave: hold.leave,
      mayEnd: mayEnd(hold),
      ending: this._isEnding(hold),
      again: this._running || !this._over ? null : this._over.again
    };
  };
}(parts));
