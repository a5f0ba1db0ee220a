/**
 * A session of Engine.IO 4. A carrier brings its packets: long-polling (polling.js) or a WebSocket
 * (socket.js). upgrade.js leads a session from the one to the other.
 */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var Polling = parts.Polling;
  var Socket = parts.Socket;
  var Upgrade = parts.Upgrade;
  var has = parts.has;
  var isArray = parts.isArray;
  var map = parts.map;
  var noop = parts.noop;
  var originOf = parts.originOf;
  var parseObject = parts.parseObject;
  var push = parts.push;
  var randomId = parts.randomId;
  var saidWith = parts.saidWith;
  var slice = parts.slice;
  var utf8Length = parts.utf8Length;
  var walk = parts.walk;

  /**
   * One session; after any trouble it is closed for good and the caller makes another.
   * options: url, credentials, transport, openTimeoutMs, postTimeoutMs, pollSlackMs.
   * handlers: onopen(), onmessage(text), onmove(), onstay(why, counts),
   * onclose({code, detail, status, refusal, cutMs, closeCode}), mustArrive(text).
   * onmove: a WebSocket carries the session from now on. onstay: it could not; see upgrade.js.
   * refusal: the server's words if it lets this page in no more. cutMs: how old a waiting poll or a
   * socket was when something on the way ended it, or null. closeCode: the socket's, or 0.
   * mustArrive: whether a text is sent again if it may have been lost.
   */
  function Engine(options, env, handlers) {
    this.options = options;
    this.env = env;
    this.sid = null;
    //: Shown with each request of the session, and in no address: a proxy's log has those. '': the
    //: server is another site's, and a browser would ask it before each request whether it may.
    this.key = originOf(options.url, env.location) === originOf('', env.location) ?
      randomId(env) : '';
    //: Messages that no carrier has brought away: {text, size, sent, proved}.
    this.queue = [];
    //: How many pings want an answer.
    this.pongs = 0;
    this.silenceMs = options.openTimeoutMs;
    this.mostPackets = 16;
    this.mostBytes = Infinity;
    //: env.now() of the server's last answer.
    this.heardAt = env.now();
    this._handlers = handlers;
    this._state = 'new';  // new, opening, open, closed
    this._offered = [];
    this._carrier = options.transport === 'websocket' ? new Socket(this, null) : new Polling(this);
    this._upgrade = null;
    this._corked = 0;
    this._suspect = false;
  }

  // -- for a worker

  Engine.prototype.isOpen = function () {
    return this._state === 'open';
  };

  /** What carries it: polling, websocket. */
  Engine.prototype.transport = function () {
    return this._carrier.kind;
  };

  /** Since when a socket has carried it (env.now()); null: it polls. */
  Engine.prototype.socketSince = function () {
    return this._carrier instanceof Socket ? this._carrier.since : null;
  };

  Engine.prototype.open = function () {
    this._state = 'opening';
    this._carrier.open();
  };

  /** Whether the server takes an upgrade to this transport. */
  Engine.prototype.offers = function (transport) {
    return has(this._offered, transport);
  };

  Engine.prototype.isUpgrading = function () {
    return this._upgrade !== null;
  };

  /** Move to a WebSocket, if the server takes it; polling goes on meanwhile. */
  Engine.prototype.upgrade = function () {
    if (this.isOpen() && !this._upgrade && this._carrier instanceof Polling &&
        this.offers('websocket')) {
      this._upgrade = new Upgrade(this, this._carrier);
    }
  };

  /** The server's limits: packets in one POST, bytes in one POST. */
  Engine.prototype.limit = function (packets, bytes) {
    this.mostPackets = packets;
    this.mostBytes = Math.min(this.mostBytes, bytes);
  };

  Engine.prototype.byteLimit = function () {
    return this.mostBytes;
  };

  /**
   * Queue a message. `sent(arrived)` is called when the POST that carried it was answered with 200,
   * or when a socket has taken it (arrived: false); `proved` when it has arrived: then, or with a
   * later ping.
   */
  Engine.prototype.send = function (text, sent, proved) {
    push(this.queue, {
      text: text, size: utf8Length(text) + 1, sent: sent || noop, proved: proved || noop
    });
    this.flush();
  };

  /** The texts that have not arrived, and those that must and may not have. */
  Engine.prototype.unsent = function () {
    var texts = this._carrier.unproved();
    walk(this.queue, function (item) { push(texts, item.text); });
    return texts;
  };

  /** End, and say so with a few last messages, which may not arrive. */
  Engine.prototype.close = function (texts) {
    var packets = map(texts || [], function (text) { return '4' + text; });
    var wasOpen = this.isOpen();
    push(packets, '1');
    this._stopUpgrade();
    this._state = 'closed';
    if (wasOpen) {
      this._carrier.close(packets);
    } else {
      this._carrier.end();
    }
  };

  /** End without a word; no handler is called any more. */
  Engine.prototype.abort = function () {
    this._stopUpgrade();
    this._state = 'closed';
    this._carrier.end();
  };

  /**
   * Called every second: timers stand still while a machine sleeps, so compare the clock. After a
   * long task the answer may have come and wait to be read, so look twice.
   */
  Engine.prototype.check = function () {
    var silent = this.env.now() - this.heardAt > this.silenceMs;
    if (this._state !== 'closed' && silent && this._suspect) {
      this.fail('E-NET-08', 'nothing heard for ' + Math.round(this.silenceMs / 1000) + ' s');
    }
    this._suspect = silent;
  };

  /** It is over. */
  Engine.prototype.fail = function (code, detail, status, refused, closeCode) {
    if (this._state === 'closed') {
      return;
    }
    this.abort();
    this._handlers.onclose({
      code: code,
      detail: detail || '',
      status: status || 0,
      refusal: refused || null,
      cutMs: this._carrier.cutMs,
      closeCode: closeCode || 0
    });
  };

  Engine.prototype._stopUpgrade = function () {
    if (this._upgrade) {
      this._upgrade.stop();
      this._upgrade = null;
    }
  };

  // -- for its carriers

  Engine.prototype.mustArrive = function (text) {
    return this._handlers.mustArrive(text);
  };

  Engine.prototype.hear = function () {
    this.heardAt = this.env.now();
  };

  /** Take the facts of an OPEN packet; false: it is none. */
  Engine.prototype.shake = function (packet) {
    var facts = packet[0] === '0' ? parseObject(slice(packet, 1)) : null;
    if (!facts || typeof facts.sid !== 'string' || !facts.sid ||
        !(facts.pingInterval > 0) || !(facts.pingTimeout > 0)) {
      return false;
    }
    this.sid = facts.sid;
    this.silenceMs = facts.pingInterval + facts.pingTimeout + this.options.pollSlackMs;
    this.mostBytes = facts.maxPayload > 0 ? facts.maxPayload : Infinity;
    this._offered = isArray(facts.upgrades) ? facts.upgrades : [];
    return true;
  };

  /** Obey packets, none of which is an OPEN. `next` asks for more; it comes before them. */
  Engine.prototype.receive = function (packets, next) {
    var opening = this._state === 'opening';
    var i;
    this.hear();
    for (i = 0; i < packets.length; i += 1) {
      if (packets[i][0] === '1') {
        this.fail('E-NET-07', 'close packet');
        return;
      }
    }
    this._state = 'open';
    this._corked += 1;
    next();
    if (opening) {
      this._handlers.onopen();
    }
    for (i = 0; i < packets.length && this.isOpen(); i += 1) {
      this._obey(packets[i]);
    }
    this._corked -= 1;
    this.flush();
  };

  Engine.prototype._obey = function (packet) {
    if (packet[0] === '2') {
      this.pongs += 1;
    } else if (packet[0] === '4') {
      this._handlers.onmessage(slice(packet, 1));
    }
  };

  /** These have been sent, and have arrived if they are `proved`. */
  Engine.prototype.settle = function (items, proved) {
    this._corked += 1;
    walk(items, function (item) {
      item.sent(proved);
      if (proved) {
        item.proved();
      }
    });
    this._corked -= 1;
  };

  Engine.prototype.flush = function () {
    if (!this._corked && this.isOpen()) {
      this._carrier.flush();
    }
  };

  // -- for its upgrade

  /** Polling has come to rest; this carries the session from now on. */
  Engine.prototype.moveTo = function (carrier) {
    this._carrier = carrier;
    this._upgrade = null;
    this._handlers.onmove();
    this.flush();
  };

  Engine.prototype.stay = function (why, counts) {
    this._upgrade = null;
    this._handlers.onstay(why, counts);
  };

  /** For the worker page: what an answer with this status says. */
  Engine.said = saidWith;

  parts.Engine = Engine;
}(parts));
