/** How a session sends by polling: one POST at a time, and a connection for it. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var Polling = parts.Polling;
  var ROOM_MS = parts.ROOM_MS;
  var SEPARATOR = parts.SEPARATOR;
  var exec = parts.exec;
  var join = parts.join;
  var push = parts.push;
  var take = parts.take;

  var ROOM_MAX_MS = 16000;

  /** One POST at a time; its messages stay queued until it is answered. */
  Polling.prototype.flush = function () {
    var session = this._session;
    if (this._onRest) {
      this._restIfStill();
    } else if (!this._post && (session.pongs || session.queue.length)) {
      this._send();
    }
  };

  Polling.prototype._send = function () {
    var self = this;
    var pongs = this._session.pongs;
    var body = this._batch();
    var timeoutMs = this._postTimeout(body.size);
    this._post = this._requests.send('POST', body.text, timeoutMs, function (status, text, type) {
      self._post = null;
      if (self._requests.passed(status, text, 'E-NET-03', timeoutMs)) {
        self._posted(status, text, type, pongs);
      }
    });
    this._makeRoom(body.size);
  };

  /**
   * A browser has few connections to one host (6, old ones 2), and polls of other pages may hold
   * the rest: a POST would wait until one of those is answered. If it waits far
   * longer than the quickest answer here has taken, it gets the connection of this page's own poll.
   * If that does not help at once, no connection was missing: wait longer next time.
   */
  Polling.prototype._makeRoom = function (size) {
    var self = this;
    var env = this._session.env;
    var wait = this._roomMs + 4 * this._requests.quickestMs + Math.floor(size / 16384) * 1000;
    env.clearTimeout(this._roomTimer);
    this._roomTimer = env.setTimeout(function () {
      if (self._post && self._get) {
        self._get.abort();
        self._get = null;
        self._gaveRoomAt = env.now();
      }
    }, wait);
  };

  Polling.prototype._postTimeout = function (size) {
    return this._session.options.postTimeoutMs + Math.ceil(size / 16384) * 1000;
  };

  /** As many messages as one POST may carry; a pong goes first, a large message alone. */
  Polling.prototype._batch = function () {
    var session = this._session;
    var queue = session.queue;
    var packets = session.pongs ? ['3'] : [];
    var size = packets.length;
    var count = 0;
    var cost;
    while (count < queue.length && packets.length < session.mostPackets) {
      cost = queue[count].size + (packets.length ? 1 : 0);
      if (packets.length && size + cost > session.mostBytes) {
        break;
      }
      push(packets, '4' + queue[count].text);
      size += cost;
      count += 1;
    }
    this._flying = count;
    return { text: join(packets, SEPARATOR), size: size };
  };

  Polling.prototype._posted = function (status, text, type, pongs) {
    var session = this._session;
    var sent;
    if (!exec(/^\s*ok\s*$/i, text)) {
      this._requests.strange(status, text, type);
      return;
    }
    session.env.clearTimeout(this._roomTimer);
    this._endRoom();
    session.pongs -= pongs;
    sent = take(session.queue, this._flying);
    this._flying = 0;
    session.settle(sent, true);
    session.flush();
  };

  /** The POST for which the poll was given up has been answered. */
  Polling.prototype._endRoom = function () {
    var env = this._session.env;
    if (this._gaveRoomAt === null) {
      return;
    }
    if (env.now() - this._gaveRoomAt > ROOM_MS / 2) {
      this._roomMs = Math.min(this._roomMs * 2, ROOM_MAX_MS);
    }
    this._gaveRoomAt = null;
    if (!this._onRest) {
      this._poll();
    }
  };
}(parts));
