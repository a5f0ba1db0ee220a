/** A WebSocket to the server as a browser gives it, and what its end says. */
(function (parts) {
  'use strict';

  var Error = parts.Error;
  var Math = parts.Math;
  var String = parts.String;
  var clip = parts.clip;
  var encode = parts.encode;
  var exec = parts.exec;
  var noop = parts.noop;
  var originOf = parts.originOf;
  var own = parts.own;
  var replace = parts.replace;

  var READY = 1;
  //: How the server ends a socket: our code, and what it says. Those of 4000 on are its own.
  var CLOSINGS = {
    1000: ['E-NET-07', 'ended in good order'],
    1001: ['E-NET-07', 'the server stops'],
    1002: ['E-NET-07', 'a frame that was none'],
    1005: ['E-NET-07', 'no reason given'],
    1007: ['E-NET-07', 'text that is not UTF-8'],
    1009: ['E-NET-07', 'a message that was too large'],
    1011: ['E-NET-06', 'internal error'],
    1013: ['E-NET-06', 'too many sessions, try again later'],
    4001: ['E-NET-05', 'this page did not answer in time'],
    4002: ['E-NET-07', 'another connection has taken the session'],
    4003: ['E-NET-08', 'this page did not read what was sent'],
    4004: ['E-NET-07', 'the upgrade was not finished in time']
  };
  //: The browser's own: it broke on the way.
  var BROKEN = 1006;

  /** The address of a session's WebSocket; '' where the page's address has none. */
  function socketAddress(session) {
    var location = session.env.location;
    var url = session.options.url;
    var origin = originOf(url, location);
    var scheme = exec(/^http(s?):/, origin);
    var path = replace(url, /^([a-z][a-z0-9+.\-]*:)?\/\/[^\/?#]*/i, '');
    if (path && path[0] !== '/') {
      path = replace(String(location.pathname || '/'), /[^\/]*$/, '') + path;
    }
    return scheme ? 'ws' + scheme[1] + replace(origin, /^https?/, '') + path +
      '/engine.io/?EIO=4&transport=websocket' + (session.sid ? '&sid=' + encode(session.sid) : '') :
      '';
  }

  function open(session) {
    var address = socketAddress(session);
    if (!session.env.socket || !address) {
      throw new Error(address ? 'it has no WebSocket' : 'the page has no address of a server');
    }
    // A browser lets a page set no header here, but a subprotocol.
    return session.env.socket(address, session.sid && session.key ? 'pagehand.' + session.key : '');
  }

  /**
   * One WebSocket. Calls onopen(), onframe(data) and, once, onclose(code, words): code 0 where the
   * browser lets the page have none (`forbidden` is then true).
   */
  function Line(session) {
    var self = this;
    /** @type {any} */
    this.onopen = noop;
    /** @type {any} */
    this.onframe = noop;
    /** @type {any} */
    this.onclose = noop;
    this.forbidden = false;
    this._env = session.env;
    this._socket = null;
    this._timer = null;
    try {
      this._socket = open(session);
      this._listen(this._socket);
    } catch (e) {
      // A host's security zone can make it throw. Never answer inside the caller's call.
      this.forbidden = true;
      this._timer = session.env.setTimeout(function () {
        self.onclose(0, clip(e && e.message, 200));
      }, 0);
    }
  }

  Line.prototype._listen = function (socket) {
    var self = this;
    socket.onopen = function () { self.onopen(); };
    socket.onmessage = function (event) { self.onframe(event.data); };
    socket.onclose = function (event) {
      self._drop();
      self._socket = null;
      self.onclose(event.code || BROKEN, clip(event.reason || '', 120));
    };
  };

  /** Whether what is sent now goes out; a browser throws away what comes later. */
  Line.prototype.isReady = function () {
    return this._socket !== null && this._socket.readyState === READY;
  };

  /** How many bytes the browser has not sent yet. */
  Line.prototype.waiting = function () {
    return this._socket ? this._socket.bufferedAmount || 0 : 0;
  };

  Line.prototype.send = function (packet) {
    try {
      this._socket.send(packet);
    } catch (e) {
      noop();  // it was closed this moment: onclose comes
    }
  };

  /** Close; no handler is called any more. */
  Line.prototype.close = function () {
    var socket = this._socket;
    this._env.clearTimeout(this._timer);
    this._drop();
    this._socket = null;
    try {
      socket.close();
    } catch (e) {
      noop();  // it never came to be
    }
  };

  Line.prototype._drop = function () {
    if (this._socket) {
      this._socket.onopen = this._socket.onmessage = this._socket.onclose = noop;
    }
  };

  /** What a close means: {code, detail, cut}. cut: something on the way has broken the socket. */
  function closing(code, words, ageMs, session) {
    var known = own(CLOSINGS, code);
    if (code === BROKEN || code < 1000) {
      return {
        code: 'E-NET-01',
        detail: 'the socket to ' + originOf(session.options.url, session.env.location) +
          ' broke after ' + Math.round(ageMs / 1000) + ' s',
        cut: true
      };
    }
    return {
      code: known ? known[0] : 'E-NET-07',
      detail: 'code ' + code + ': ' + (words || (known ? known[1] : 'no reason given')),
      cut: false
    };
  }

  parts.Line = Line;
  parts.closing = closing;
}(parts));
