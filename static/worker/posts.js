/** How a session sends: one POST at a time, and a connection for it. */
(function (parts) {
  'use strict';

  var Engine = parts.Engine;
  var Math = parts.Math;
  var ROOM_MS = parts.ROOM_MS;
  var SEPARATOR = parts.SEPARATOR;
  var exec = parts.exec;
  var join = parts.join;
  var push = parts.push;
  var take = parts.take;
  var walk = parts.walk;

  var ROOM_MAX_MS = 16000;

  /** One POST at a time; its messages stay queued until it is answered. */
  Engine.prototype._flush = function () {
    var self = this;
    var body;
    var patience;
    var pongs = this._pongs;
    if (this._corked || this._post || this._state !== 'open' || !(pongs || this._queue.length)) {
      return;
    }
    body = this._batch();
    patience = this._postTimeout(body.size);
    this._post = this._request('POST', body.text, patience, function (status, text, type) {
      self._post = null;
      if (self._passed(status, text, 'E-NET-03', patience)) {
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
  Engine.prototype._makeRoom = function (size) {
    var self = this;
    var wait = this._roomMs + 4 * this._quickestMs + Math.floor(size / 16384) * 1000;
    this._env.clearTimeout(this._roomTimer);
    this._roomTimer = this._env.setTimeout(function () {
      if (self._post && self._get) {
        self._get.abort();
        self._get = null;
        self._gaveRoomAt = self._env.now();
      }
    }, wait);
  };

  Engine.prototype._postTimeout = function (size) {
    return this._options.postTimeoutMs + Math.ceil(size / 16384) * 1000;
  };

  /** As many messages as one POST may carry; a pong goes first, a large message alone. */
  Engine.prototype._batch = function () {
    var packets = this._pongs ? ['3'] : [];
    var size = packets.length;
    var count = 0;
    var cost;
    while (count < this._queue.length && packets.length < this._packetLimit) {
      cost = this._queue[count].size + (packets.length ? 1 : 0);
      if (packets.length && size + cost > this._byteLimit) {
        break;
      }
      push(packets, '4' + this._queue[count].text);
      size += cost;
      count += 1;
    }
    this._flying = count;
    return { text: join(packets, SEPARATOR), size: size };
  };

  Engine.prototype._posted = function (status, text, type, pongs) {
    var sent;
    if (!exec(/^\s*ok\s*$/i, text)) {
      this._failStrange(status, text, type);
      return;
    }
    this._env.clearTimeout(this._roomTimer);
    if (this._gaveRoomAt !== null) {
      if (this._env.now() - this._gaveRoomAt > ROOM_MS / 2) {
        this._roomMs = Math.min(this._roomMs * 2, ROOM_MAX_MS);
      }
      this._gaveRoomAt = null;
      this._poll();
    }
    this._pongs -= pongs;
    sent = take(this._queue, this._flying);
    this._flying = 0;
    this._corked += 1;
    walk(sent, function (item) { item.sent(); });
    this._corked -= 1;
    this._flush();
  };
}(parts));
