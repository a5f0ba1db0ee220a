/** Carries a session by a WebSocket: one text frame is one packet. */
(function (parts) {
  'use strict';

  var Line = parts.Line;
  var Math = parts.Math;
  var Polling = parts.Polling;
  var Requests = parts.Requests;
  var SEPARATOR = parts.SEPARATOR;
  var clip = parts.clip;
  var closing = parts.closing;
  var copy = parts.copy;
  var find = parts.find;
  var map = parts.map;
  var noop = parts.noop;
  var only = parts.only;
  var patience = parts.patience;
  var push = parts.push;
  var said = parts.said;
  var split = parts.split;
  var take = parts.take;
  var walk = parts.walk;

  //: A browser does not say when it has sent: so often it is asked.
  var LOOK_MS = 50;
  //: No more than this is handed to a browser at a time, whatever a server takes.
  var MOST_BYTES = 1048576;
  //: Copies of messages whose arrival is not proved; the oldest has most likely arrived.
  var KEPT = 500;
  //: The server's close packet, and the code that says why, come one after the other.
  var WORDS_MS = 1000;

  /** `line`: one that has taken over a session; null: `open` makes one for a new session. */
  function Socket(session, line) {
    this.kind = 'websocket';
    //: How old the socket was when something on the way broke it, or null.
    this.cutMs = null;
    //: env.now() since when it has carried the session.
    this.since = session.env.now();
    this._session = session;
    this._line = line;
    this._parting = false;
    this._timer = null;
    this._patience = null;
    this._asking = null;
    this._kept = [];            // handed over after the last pong
    this._asked = [];           // handed over before it: the next ping proves their arrival
    if (line) {
      this._listen(line);
    }
  }

  Socket.prototype._listen = function (line) {
    var self = this;
    line.onframe = function (data) { self._frame(data); };
    line.onclose = function (code, words) { self._closed(code, words); };
  };

  /** A session that begins with a socket: its first frame is OPEN. */
  Socket.prototype.open = function () {
    var self = this;
    var openMs = this._session.options.openTimeoutMs;
    this._line = new Line(this._session);
    this._listen(this._line);
    this._patience = patience(this._session.env, openMs, function () {
      self._refused('no answer within ' + Math.round(openMs / 1000) + ' s');
    });
  };

  Socket.prototype.end = function () {
    this._session.env.clearTimeout(this._timer);
    if (this._patience) {
      this._patience.stop();
    }
    if (this._asking) {
      this._asking.abort();
    }
    this._line.close();
  };

  /** End, with last packets, which may not arrive. */
  Socket.prototype.close = function (packets) {
    var line = this._line;
    walk(packets, function (packet) { line.send(packet); });
    this.end();
  };

  /** The texts that must not be lost, were handed over, and may not have arrived. */
  Socket.prototype.unproved = function () {
    var session = this._session;
    var items = copy(this._asked);
    walk(this._kept, function (item) { push(items, item); });
    return only(map(items, function (item) { return item.text; }),
      function (text) { return session.mustArrive(text); });
  };

  // -- what comes

  Socket.prototype._frame = function (data) {
    var session = this._session;
    var known = typeof data === 'string' && data !== '' && find('1246', data[0]) >= 0;
    if (!session.sid) {
      this._first(data);
    } else if (!known) {
      session.fail('E-NET-04', 'a frame that says' + (said(data) ? ': ' + said(data) : ' nothing'));
    } else if (data[0] === '1') {
      this._part();
    } else if (!this._parting) {
      if (data[0] === '2') {
        this._proved();
      }
      session.receive([data], noop);
    }
  };

  Socket.prototype._first = function (data) {
    if (typeof data === 'string' && this._session.shake(data)) {
      this._patience.stop();
      this.since = this._session.env.now();
      this._session.receive([], noop);
    } else {
      this._refused('a first frame that is none of ours');
    }
  };

  /** Wait a moment for the code that says why. */
  Socket.prototype._part = function () {
    var self = this;
    this._parting = true;
    this._session.env.clearTimeout(this._timer);
    this._timer = this._session.env.setTimeout(function () {
      self._session.fail('E-NET-07', 'close packet', 0, null, 1000);
    }, WORDS_MS);
  };

  Socket.prototype._closed = function (code, words) {
    var session = this._session;
    var ageMs = session.env.now() - this.since;
    var why;
    if (!session.sid && code < 1000 || !session.sid && code === 1006) {
      this._refused(words || 'code ' + code);
      return;
    }
    why = closing(this._parting && code === 1006 ? 1000 : code, words, ageMs, session);
    if (why.cut) {
      this.cutMs = ageMs;
    }
    session.fail(why.code, why.detail, 0, null, code);
  };

  // -- what goes

  /**
   * Hand the browser what waits, but not much more than it has sent: what it has cannot be told
   * from what has arrived.
   */
  Socket.prototype.flush = function () {
    var count;
    this._pong();
    for (count = this._fitting(); count > 0; count = this._fitting()) {
      this._hand(count);
    }
    this._lookAgain();
  };

  Socket.prototype._pong = function () {
    var session = this._session;
    while (session.pongs > 0) {
      session.pongs -= 1;
      this._line.send('3');
      this._ask();
    }
  };

  /** A pong has gone out behind what was kept until now. */
  Socket.prototype._ask = function () {
    var asked = this._asked;
    walk(this._kept, function (item) { push(asked, item); });
    this._kept = [];
  };

  /** How many messages the browser may have now: as many as fit, or one if it has none. */
  Socket.prototype._fitting = function () {
    var session = this._session;
    var room = Math.min(session.mostBytes, MOST_BYTES);
    var waiting = this._line.waiting();
    var count = 0;
    if (this._parting || !this._line.isReady()) {
      return 0;
    }
    while (count < session.queue.length &&
           (waiting === 0 || waiting + session.queue[count].size <= room)) {
      waiting += session.queue[count].size;
      count += 1;
    }
    return count;
  };

  Socket.prototype._hand = function (count) {
    var self = this;
    var items = take(this._session.queue, count);
    walk(items, function (item) {
      self._line.send('4' + item.text);
      push(self._kept, item);
    });
    this._forget();
    this._session.settle(items, false);
  };

  /** Keep copies of what matters, and not without end. */
  Socket.prototype._forget = function () {
    var session = this._session;
    this._kept = only(this._kept, function (item) {
      return item.proved !== noop || session.mustArrive(item.text);
    });
    take(this._kept, Math.max(0, this._kept.length - KEPT));
  };

  /**
   * The server pings again only when it has our last pong, and a socket keeps its order: what was
   * handed over before that pong has arrived.
   */
  Socket.prototype._proved = function () {
    var items = this._asked;
    this._asked = [];
    walk(items, function (item) { item.proved(); });
  };

  Socket.prototype._lookAgain = function () {
    var self = this;
    if (this._session.queue.length && !this._parting) {
      this._session.env.clearTimeout(this._timer);
      this._timer = this._session.env.setTimeout(function () { self._session.flush(); }, LOOK_MS);
    }
  };

  // -- a socket that does not come to be

  /** A browser hides why: ask by polling, and show what the server says. */
  Socket.prototype._refused = function (words) {
    var self = this;
    var session = this._session;
    var openMs = session.options.openTimeoutMs;
    var requests = new Requests(session);
    this.end();
    if (this._line.forbidden) {
      session.fail('E-NET-10', words);
      return;
    }
    session.hear();  // the wait begins anew
    this._asking = requests.send('GET', null, openMs, function (status, text, type) {
      self._asking = null;
      if (requests.passed(status, text, 'E-NET-02', openMs)) {
        self._explain(requests, status, text, type, words);
      }
    });
  };

  /** Polling would do: who refuses the socket? That session is not wanted. */
  Socket.prototype._explain = function (requests, status, text, type, words) {
    var session = this._session;
    var offers;
    if (!session.shake(split(text, SEPARATOR)[0])) {
      requests.strange(status, text, type);
      return;
    }
    new Polling(session).close(['1']);
    offers = session.offers('websocket');
    session.fail('E-NET-13', offers ?
      'the server offers it, so something on the way refuses it (' + clip(words, 200) + ')' :
      'this server takes long-polling only');
  };

  parts.Socket = Socket;
}(parts));
