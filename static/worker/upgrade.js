/** Leads a session from polling to a WebSocket, as Engine.IO 4 says. Polling works meanwhile. */
(function (parts) {
  'use strict';

  var Line = parts.Line;
  var Socket = parts.Socket;
  var own = parts.own;
  var patience = parts.patience;

  //: A socket that has not answered by then is given up; so is a poll that does not come back.
  var STEP_MS = 3000;
  //: Codes with which the server ends a socket in good order: they say nothing against sockets.
  var ORDINARY = { 1000: 1, 1001: 1, 1013: 1 };
  //: The upgrade was not finished in time: this page was too slow.
  var TOO_SLOW = 4004;

  /**
   * 1. Open a socket beside polling, and ask over it (`2probe`, `3probe`).
   * 2. Let polling come to rest: its POST and its poll come back, and no other goes out. Messages
   *    wait in the queue.
   * 3. Say `5`. From then on the socket carries the session.
   * Until the `5` any trouble ends the upgrade alone.
   */
  function Upgrade(session, polling) {
    var self = this;
    this._session = session;
    this._polling = polling;
    this._patience = null;
    this._resting = false;
    this._line = new Line(session);
    this._line.onopen = function () { self._line.send('2probe'); };
    this._line.onframe = function (data) { self._frame(data); };
    this._line.onclose = function (code, words) { self._closed(code, words); };
    this._wait('no answer within ' + STEP_MS / 1000 + ' s');
  }

  Upgrade.prototype._wait = function (why) {
    var self = this;
    this._stopWaiting();
    this._patience = patience(this._session.env, STEP_MS, function () {
      if (self._resting && self._polling.posts()) {
        self._wait(why);  // a large one may take its time
      } else {
        self._giveUp(why, true);
      }
    });
  };

  Upgrade.prototype._stopWaiting = function () {
    if (this._patience) {
      this._patience.stop();
      this._patience = null;
    }
  };

  Upgrade.prototype._frame = function (data) {
    var self = this;
    if (this._resting || data !== '3probe') {
      this._giveUp('an answer that is none of ours', true);
      return;
    }
    this._resting = true;
    this._wait('the poll did not come back within ' + STEP_MS / 1000 + ' s');
    this._polling.rest(function () { self._move(); });
  };

  Upgrade.prototype._closed = function (code, words) {
    if (this._line.forbidden) {
      this._giveUp('this browser forbids it: ' + words, true);
    } else {
      this._giveUp('closed with code ' + code + (words ? ': ' + words : ''),
        own(ORDINARY, code) !== 1 && code !== TOO_SLOW);
    }
  };

  Upgrade.prototype._move = function () {
    if (!this._line.isReady()) {
      this._giveUp('closed', true);
      return;
    }
    this._stopWaiting();
    this._line.send('5');
    this._session.moveTo(new Socket(this._session, this._line));
  };

  /** `counts`: whether it speaks against sockets on this way. */
  Upgrade.prototype._giveUp = function (why, counts) {
    this.stop();
    this._session.stay(why, counts);
    this._polling.wake();
  };

  /** Give it up without a word. */
  Upgrade.prototype.stop = function () {
    this._stopWaiting();
    this._line.close();
  };

  parts.ORDINARY = ORDINARY;
  parts.Upgrade = Upgrade;
}(parts));
