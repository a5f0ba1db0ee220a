/** Engine.IO 4 over HTTP long-polling: a session and its polls. Its POSTs are in posts.js. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var clip = parts.clip;
  var digits = parts.digits;
  var encode = parts.encode;
  var exec = parts.exec;
  var find = parts.find;
  var join = parts.join;
  var map = parts.map;
  var noAnswer = parts.noAnswer;
  var noop = parts.noop;
  var parseObject = parts.parseObject;
  var push = parts.push;
  var refusal = parts.refusal;
  var said = parts.said;
  var saidWith = parts.saidWith;
  var slice = parts.slice;
  var split = parts.split;
  var take = parts.take;
  var utf8Length = parts.utf8Length;

  var SEPARATOR = '\x1e';
  var LATE_MS = 1000;
  var ROOM_MS = 2000;

  /**
   * One session; after any trouble it is closed for good and the caller makes another.
   * options: url, credentials, openTimeoutMs, postTimeoutMs, pollSlackMs.
   * handlers: onopen(), onmessage(text), onclose({code, detail, status, refusal, cutMs}).
   * refusal: the server's words if it lets this page in no more. cutMs: how old a waiting poll was
   * when something ended it, or null.
   */
  function Engine(options, env, handlers) {
    this._options = options;
    this._env = env;
    this._handlers = handlers;
    this._state = 'new';  // new, opening, open, closed
    this._sid = null;
    this._queue = [];
    this._flying = 0;
    this._pongs = 0;
    this._get = null;
    this._post = null;
    this._corked = 0;
    this._stamps = 0;
    this._idle = 0;
    this._idleTimer = null;
    this._roomTimer = null;
    this._gaveRoomAt = null;
    this._roomMs = ROOM_MS;
    this._quickestMs = Infinity;
    this._suspect = false;
    this._silenceMs = options.openTimeoutMs;
    this._cutMs = null;
    this._packetLimit = 16;
    this._byteLimit = Infinity;
    //: env.now() of the server's last answer.
    this.heardAt = env.now();
  }

  Engine.prototype.isOpen = function () {
    return this._state === 'open';
  };

  Engine.prototype.open = function () {
    this._state = 'opening';
    this._poll();
  };

  /** The server's limits: packets in one POST, bytes in one POST. */
  Engine.prototype.limit = function (packets, bytes) {
    this._packetLimit = packets;
    this._byteLimit = Math.min(this._byteLimit, bytes);
  };

  Engine.prototype.byteLimit = function () {
    return this._byteLimit;
  };

  /** Queue a message; `sent` is called when the POST that carried it was answered with 200. */
  Engine.prototype.send = function (text, sent) {
    push(this._queue, { text: text, size: utf8Length(text) + 1, sent: sent || noop });
    this._flush();
  };

  /** The texts that no answered POST has carried. */
  Engine.prototype.unsent = function () {
    return map(this._queue, function (item) { return item.text; });
  };

  /** End, and say so with a few last messages, which may not arrive. */
  Engine.prototype.close = function (texts) {
    var packets = map(texts || [], function (text) { return '4' + text; });
    var wasOpen = this._state === 'open';
    push(packets, '1');
    this._end();
    if (wasOpen) {
      this._request('POST', join(packets, SEPARATOR), this._options.postTimeoutMs, noop);
    }
  };

  /** End without a word; no handler is called any more. */
  Engine.prototype.abort = function () {
    this._end();
  };

  /**
   * Called every second: timers stand still while a machine sleeps, so compare the clock. After a
   * long task the answer may have come and wait to be read, so look twice.
   */
  Engine.prototype.check = function () {
    var silent = this._env.now() - this.heardAt > this._silenceMs;
    if (this._state !== 'closed' && silent && this._suspect) {
      this._fail('E-NET-08', 'nothing heard for ' + Math.round(this._silenceMs / 1000) + ' s');
    }
    this._suspect = silent;
  };

  Engine.prototype.fail = function (code, detail) {
    this._fail(code, detail);
  };

  Engine.prototype._end = function () {
    this._state = 'closed';
    this._env.clearTimeout(this._idleTimer);
    this._env.clearTimeout(this._roomTimer);
    if (this._get) {
      this._get.abort();
      this._get = null;
    }
    if (this._post) {
      this._post.abort();
      this._post = null;
    }
  };

  Engine.prototype._fail = function (code, detail, status, refused) {
    if (this._state === 'closed') {
      return;
    }
    this._end();
    this._handlers.onclose({
      code: code,
      detail: detail || '',
      status: status || 0,
      refusal: refused || null,
      cutMs: this._cutMs
    });
  };

  Engine.prototype._address = function () {
    var stamp;
    this._stamps += 1;
    // Internet Explorer answers a repeated address from its cache, so no address is used twice.
    stamp = digits(this._env.date(), 36) + '.' + digits(this._stamps, 36) + '.' +
      digits(Math.floor(this._env.random() * 0x7fffffff), 36);
    return this._options.url + '/engine.io/?EIO=4&transport=polling&t=' + stamp +
      (this._sid ? '&sid=' + encode(this._sid) : '');
  };

  /**
   * One XHR; done(status, text, type) is called once. 0: network, -1: too late, -2: the browser
   * forbids it, for what `text` says.
   */
  Engine.prototype._request = function (method, body, timeoutMs, done) {
    var self = this;
    var env = this._env;
    var over = false;
    var timer = null;
    var xhr = null;
    var began = env.now();
    var due = began + timeoutMs;
    function finish(status, text, type) {
      if (over) {
        return;
      }
      over = true;
      env.clearTimeout(timer);
      if (xhr) {
        xhr.onreadystatechange = noop;
      }
      if (status === 200) {
        self._quickestMs = Math.min(self._quickestMs, env.now() - began);
      }
      done(status, text, type);
    }
    function abort() {
      over = true;
      env.clearTimeout(timer);
      drop(xhr);
    }
    function expire() {
      if (env.now() - due > LATE_MS) {
        due = Infinity;  // a task blocked the page: an answer may be waiting behind this timer
        timer = env.setTimeout(expire, LATE_MS);
        return;
      }
      finish(-1, '', '');
      drop(xhr);
    }
    timer = env.setTimeout(expire, timeoutMs);
    try {
      xhr = env.xhr();
      xhr.open(method, this._address(), true);
      if (this._options.credentials) {
        xhr.withCredentials = true;  // not before open(), or Internet Explorer throws
      }
      if (body !== null) {
        xhr.setRequestHeader('Content-Type', 'text/plain;charset=UTF-8');
      }
      xhr.onreadystatechange = function () {
        var answer;
        if (xhr.readyState === 4) {
          answer = readAnswer(xhr);
          finish(answer.status, answer.text, answer.type);
        }
      };
      xhr.send(body);
    } catch (e) {
      // A host's security zone can make open or send throw. Never answer inside the caller's call.
      env.clearTimeout(timer);
      timer = env.setTimeout(function () { finish(-2, clip(e && e.message, 200), ''); }, 0);
    }
    return { abort: abort };
  };

  /** Abort fires readystatechange in Internet Explorer: take the handler away first. */
  function drop(xhr) {
    try {
      xhr.onreadystatechange = noop;
      xhr.abort();
    } catch (e) {
      noop();  // it never came to be
    }
  }

  /** In Internet Explorer reading a failed request may throw; a status of 12xxx is WinINet's. */
  function readAnswer(xhr) {
    var answer = { status: 0, text: '', type: '' };
    var status;
    try {
      status = xhr.status;
      if (status >= 100 && status < 600) {
        answer.text = xhr.responseText || '';
        answer.type = xhr.getResponseHeader('Content-Type') || '';
        answer.status = status;
      }
    } catch (e) {
      answer.status = 0;
    }
    return answer;
  }

  Engine.prototype._poll = function () {
    var self = this;
    var patience = this._silenceMs;
    var began = this._env.now();
    this._get = this._request('GET', null, patience, function (status, text, type) {
      self._get = null;
      if (self._state === 'open' && isCut(status)) {
        self._cutMs = self._env.now() - began;
      }
      if (self._passed(status, text, 'E-NET-02', patience)) {
        self._polled(status, text, type);
      }
    });
  };

  /** Whether something else than the server has ended a request: its connection, or a proxy. */
  function isCut(status) {
    return status === 0 || status === 408 || status === 502 || status === 504;
  }

  Engine.prototype._polled = function (status, text, type) {
    var packets = this._packets(text, type);
    if (!packets) {
      this._failStrange(status, text, type);
      return;
    }
    this.heardAt = this._env.now();
    this._corked += 1;
    this._receive(packets);
    this._corked -= 1;
    this._flush();
  };

  /**
   * Whether an answer comes from the server at all; if not, the session is over. `text`: see
   * `_request`.
   */
  Engine.prototype._passed = function (status, text, lateCode, patienceMs) {
    var refused = refusal(status, text);
    if (status === 200) {
      return true;
    }
    if (status === -1) {
      this._fail(lateCode, 'no answer within ' + Math.round(patienceMs / 1000) + ' s');
    } else if (status === -2) {
      this._fail('E-NET-10', text);
    } else if (status === 0) {
      this._fail('E-NET-01', noAnswer(this._options.url, this._env.location));
    } else if (refused) {
      this._fail('E-ORG-01', saidWith(status, text), status, refused);
    } else if (status === 400 && this._sid) {
      this._fail('E-NET-05', saidWith(status, text), status);
    } else {
      this._fail('E-NET-06', saidWith(status, text), status);
    }
    return false;
  };

  /** An answer of something else than the server. */
  Engine.prototype._failStrange = function (status, text, type) {
    var kind = split(clip(type || 'something', 100), ';')[0];
    var words = said(text);
    this._fail('E-NET-04', kind + ' that says' + (words ? ': ' + words : ' nothing'), status);
  };

  /** The packets of a poll's answer, or null if one is not a packet: then none is obeyed. */
  Engine.prototype._packets = function (text, type) {
    var packets = split(text, SEPARATOR);
    var i;
    if (type && !exec(/^text\/plain/i, type)) {
      return null;
    }
    if (this._state === 'opening' && !this._handshake(take(packets, 1)[0])) {
      return null;
    }
    for (i = 0; i < packets.length; i += 1) {
      if (packets[i] === '' || find('1246', packets[i][0]) < 0) {
        return null;
      }
    }
    return packets;
  };

  Engine.prototype._handshake = function (packet) {
    var facts = packet[0] === '0' ? parseObject(slice(packet, 1)) : null;
    if (!facts || typeof facts.sid !== 'string' || !facts.sid ||
        !(facts.pingInterval > 0) || !(facts.pingTimeout > 0)) {
      return false;
    }
    this._sid = facts.sid;
    this._silenceMs = facts.pingInterval + facts.pingTimeout + this._options.pollSlackMs;
    this._byteLimit = facts.maxPayload > 0 ? facts.maxPayload : Infinity;
    return true;
  };

  /** The next poll goes out before the messages are obeyed: a task may take its time. */
  Engine.prototype._receive = function (packets) {
    var opening = this._state === 'opening';
    var idle = packets.length > 0;
    var i;
    for (i = 0; i < packets.length; i += 1) {
      if (packets[i][0] === '1') {
        this._fail('E-NET-07', 'close packet');
        return;
      }
      idle = idle && packets[i][0] === '6';
    }
    this._state = 'open';
    this._pollAgain(idle);
    if (opening) {
      this._handlers.onopen();
    }
    for (i = 0; i < packets.length && this._state === 'open'; i += 1) {
      if (packets[i][0] === '2') {
        this._pongs += 1;
      } else if (packets[i][0] === '4') {
        this._handlers.onmessage(slice(packets[i], 1));
      }
    }
  };

  /** Empty answers must not make the page poll as fast as it can. */
  Engine.prototype._pollAgain = function (idle) {
    var self = this;
    this._idle = idle ? this._idle + 1 : 0;
    if (this._idle < 3) {
      this._poll();
      return;
    }
    this._idleTimer = this._env.setTimeout(function () {
      if (self._state === 'open') {
        self._poll();
      }
    }, Math.min(this._idle * 100, 1000));
  };

  /** For the worker page: what an answer with this status says. */
  Engine.said = saidWith;

  parts.Engine = Engine;
  parts.ROOM_MS = ROOM_MS;
  parts.SEPARATOR = SEPARATOR;
}(parts));
