/** Carries a session by HTTP long-polling: its polls. Its POSTs are in posts.js. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var Requests = parts.Requests;
  var SEPARATOR = parts.SEPARATOR;
  var exec = parts.exec;
  var find = parts.find;
  var join = parts.join;
  var noop = parts.noop;
  var split = parts.split;
  var take = parts.take;

  var ROOM_MS = 2000;

  function Polling(session) {
    this.kind = 'polling';
    //: How old a waiting poll was when something on the way ended it, or null.
    this.cutMs = null;
    this._session = session;
    this._requests = new Requests(session);
    this._get = null;
    this._post = null;
    this._flying = 0;
    this._idle = 0;
    this._idleTimer = null;
    this._roomTimer = null;
    this._gaveRoomAt = null;
    this._roomMs = ROOM_MS;
    /** @type {any} */
    this._onRest = null;        // who wants to know that nothing is under way any more
  }

  Polling.prototype.open = function () {
    this._poll();
  };

  Polling.prototype.end = function () {
    this._session.env.clearTimeout(this._idleTimer);
    this._session.env.clearTimeout(this._roomTimer);
    this._onRest = null;
    if (this._get) {
      this._get.abort();
      this._get = null;
    }
    if (this._post) {
      this._post.abort();
      this._post = null;
    }
  };

  /** End, with last packets, which may not arrive. */
  Polling.prototype.close = function (packets) {
    this.end();
    this._requests.send('POST', join(packets, SEPARATOR), this._session.options.postTimeoutMs,
      noop);
  };

  /** Every message that was handed over has been proved, or is in the queue still. */
  Polling.prototype.unproved = function () {
    return [];
  };

  // -- coming to rest, for an upgrade

  /** Sends and asks no more; `rested` is called when nothing is under way. */
  Polling.prototype.rest = function (rested) {
    this._onRest = rested;
    this._session.env.clearTimeout(this._idleTimer);
    this._session.env.clearTimeout(this._roomTimer);
    this._session.flush();
  };

  /** Whether a POST is under way, which may take its time. */
  Polling.prototype.posts = function () {
    return this._post !== null;
  };

  Polling.prototype._restIfStill = function () {
    var rested = this._onRest;
    if (!this._get && !this._post) {
      this._onRest = noop;
      rested();
    }
  };

  /** The upgrade came to nothing: go on. */
  Polling.prototype.wake = function () {
    if (this._onRest) {
      this._onRest = null;
      this._poll();
      this._session.flush();
    }
  };

  // -- polls

  Polling.prototype._poll = function () {
    var self = this;
    var session = this._session;
    var silenceMs = session.silenceMs;
    var began = session.env.now();
    if (this._get) {
      return;
    }
    this._get = this._requests.send('GET', null, silenceMs, function (status, text, type) {
      self._get = null;
      if (session.isOpen() && isCut(status)) {
        self.cutMs = session.env.now() - began;
      }
      if (self._requests.passed(status, text, 'E-NET-02', silenceMs)) {
        self._polled(status, text, type);
      }
    });
  };

  /** Whether something else than the server has ended a request: its connection, or a proxy. */
  function isCut(status) {
    return status === 0 || status === 408 || status === 502 || status === 504;
  }

  /** The next poll goes out before the messages are obeyed: a task may take its time. */
  Polling.prototype._polled = function (status, text, type) {
    var self = this;
    var packets = this._packets(text, type);
    if (packets) {
      this._session.receive(packets, function () { self._pollAgain(isIdle(packets)); });
    } else {
      this._requests.strange(status, text, type);
    }
  };

  /** The packets of a poll's answer, or null if one is not a packet: then none is obeyed. */
  Polling.prototype._packets = function (text, type) {
    var packets = split(text, SEPARATOR);
    var i;
    if (type && !exec(/^text\/plain/i, type)) {
      return null;
    }
    if (!this._session.sid && !this._session.shake(take(packets, 1)[0])) {
      return null;
    }
    for (i = 0; i < packets.length; i += 1) {
      if (packets[i] === '' || find('1246', packets[i][0]) < 0) {
        return null;
      }
    }
    return packets;
  };

  function isIdle(packets) {
    var i;
    for (i = 0; i < packets.length && packets[i][0] === '6'; i += 1) {
      noop();
    }
    return packets.length > 0 && i === packets.length;
  }

  /** Empty answers must not make the page poll as fast as it can. */
  Polling.prototype._pollAgain = function (idle) {
    var self = this;
    this._idle = idle ? this._idle + 1 : 0;
    if (this._onRest) {
      return;
    }
    if (this._idle < 3) {
      this._poll();
      return;
    }
    this._idleTimer = this._session.env.setTimeout(function () {
      if (self._session.isOpen()) {
        self._poll();
      }
    }, Math.min(this._idle * 100, 1000));
  };

  parts.Polling = Polling;
  parts.ROOM_MS = ROOM_MS;
}(parts));
