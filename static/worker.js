/**
 * Pagehand worker: makes this page do jobs for a Pagehand server. One ES5 file, no dependency, one
 * global. What is served is what was written. The messages are in docs/protocol.md.
 *
 *   Pagehand.task('shout', function (job, done) { done(null, job.data.toUpperCase()); });
 *   var worker = Pagehand.start({name: 'FRONT-DESK-07'});
 *   worker.on('status', function (status) { ... });
 *
 * A task ends by the first of: a returned value, a returned thenable, done(error, value), a throw.
 * Returning undefined means that done will come. With {quick: true} it starts without an accept:
 * for tasks that take milliseconds and do no harm when they run twice. An error made by
 * Pagehand.fatal(message, code) is not tried again.
 *
 * job: id, type, data, number (which try this is), timeoutMs, cancelled (boolean), and
 *   progress(percent, note)  0 to 100; either may be left out; also the job's heartbeat
 *   log(line)                shown with the job
 *   onCancel(fn)             fn(reason) must stop the task, which then counts as ended. An fn that
 *                            needs time returns false, and the task still ends by done. A task
 *                            without onCancel keeps its slot until it ends.
 *
 * Options of Pagehand.start (unit, default):
 *   url            base address of the server ('': the page's own)
 *   types          names to offer (null: every task that is registered, also later ones)
 *   name           shown to people, at most 100 characters ('')
 *   slots          jobs at once, 1 to 64 (1)
 *   token          where the server needs one (null: from #token= or ?token= of the address, which
 *                  is then removed from it and kept in sessionStorage)
 *   labels         strings by name, for the server ({})
 *   storageKey     prefix of all stored keys; tells workers of one page apart ('pagehand')
 *   backoffMinMs   shortest wait before a new session (1000)
 *   backoffMaxMs   longest one (30000)
 *   openTimeoutMs  for the first answer of a session (15000)
 *   postTimeoutMs  for a POST, and 1 s more for every 16 KiB (15000)
 *   pollSlackMs    a poll may take this much longer than the server said (5000)
 *   env            stand-ins for the browser, see environment() below; for tests
 *
 * worker: start, stop, pause, resume, reconnect, reload (the page, at most once a minute),
 * status(), on(event, fn). Events:
 *   status (status())        something a person can see has changed
 *   event  ({at, text})      one line for a log: connected, refused, a task that misbehaved, ...
 *   job    (job)             a task is about to start
 *   ended  ({attempt, type, succeeded})   a task has ended; its report is on the way
 */
(function (root) {
  'use strict';

  /** @const The worker protocol's version: `register` carries it. */
  var PROTOCOL = 1;
  var VERSION = '0.1.0';

  //: Captured, like all that environment() takes: a task may put something else in its place.
  var JSON = root.JSON;

  var SEPARATOR = '\x1e';
  var TICK_MS = 1000;
  var PROGRESS_MS = 250;
  var CLAIM_MS = 5000;
  var CLAIM_STALE_MS = 15000;
  var RELOAD_MS = 60000;
  var SETTLED_KEPT = 64;
  var OUTBOX_LIMIT = 500;
  var EVENTS_KEPT = 20;
  var HEALTHY_MS = 10000;
  var LATE_MS = 1000;
  var ROOM_MS = 2000;
  var ROOM_MAX_MS = 16000;

  /** What a person is shown. */
  var STATE = {
    CONNECTING: 'connecting',
    READY: 'ready',
    WORKING: 'working',
    PAUSED: 'paused',
    RECONNECTING: 'reconnecting',
    NOT_ALLOWED: 'not_allowed',
    OUT_OF_DATE: 'out_of_date',
    MAINTENANCE: 'maintenance',
    STOPPED: 'stopped'
  };

  /** Where an attempt stands in this page. */
  var PHASE = {
    OFFERED: 'offered',   // the accept is on its way
    WAITING: 'waiting',   // accepted; `go` has not come
    RUNNING: 'running',
    ENDED: 'ended'        // its report is repeated until there is a verdict
  };

  /** Short codes to read over the telephone, and what they mean. */
  var CODES = {
    'E-NET-01': 'The server cannot be reached.',
    'E-NET-02': 'The server did not answer in time.',
    'E-NET-03': 'The server did not take a message in time.',
    'E-NET-04': 'Something else than the server answered; perhaps a proxy or a login page.',
    'E-NET-05': 'The server does not know this connection any more.',
    'E-NET-06': 'The server answered with an error.',
    'E-NET-07': 'The server closed the connection.',
    'E-NET-08': 'The connection was silent for too long.',
    'E-NET-09': 'The network was away.',
    'E-NET-10': 'This browser does not let the page make requests.',
    'E-NET-11': 'The list of tasks could not be loaded.',
    'E-TOK-01': 'The server wants a token that this page does not have.',
    'E-VER-01': 'This page is older or newer than the server.',
    'E-MSG-01': 'The server refused a message of this page.',
    'E-MSG-02': 'The server sent a message that this page does not understand.',
    'E-JOB-01': 'A task failed.',
    'E-JOB-02': 'A result was too large.',
    'E-JOB-03': 'A result could not be written as JSON.',
    'E-JOB-04': 'A task called done more than once.',
    'E-JS-01': 'A script on this page failed.',
    'E-TYP-01': 'This page has no tasks.',
    'E-TYP-02': 'The server has no such task.'
  };

  var hasOwn = Object.prototype.hasOwnProperty;

  // ---- small helpers ---------------------------------------------------------------------------

  function noop() {}

  function own(object, key) {
    return hasOwn.call(object, key) ? object[key] : undefined;
  }

  /** Whether a result may still count: the server ended the attempt, not somebody the job. */
  function mayCount(reason) {
    return own({ timed_out: 1, no_heartbeat: 1, stale: 1, unknown_attempt: 1 }, reason) === 1;
  }

  function each(object, fn) {
    var keys = Object.keys(object);
    var i;
    for (i = 0; i < keys.length; i += 1) {
      fn(object[keys[i]], keys[i]);
    }
  }

  function clip(value, length) {
    var text;
    try {
      text = String(value);
    } catch (e) {
      text = 'a value that is no text';
    }
    return text.length > length ? text.slice(0, length) : text;
  }

  /** How many bytes a string takes in UTF-8; a lone surrogate is sent as U+FFFD. */
  function utf8Length(text) {
    var bytes = 0;
    var i;
    var c;
    for (i = 0; i < text.length; i += 1) {
      c = text.charCodeAt(i);
      if (c < 0x80) {
        bytes += 1;
      } else if (c < 0x800) {
        bytes += 2;
      } else if (c >= 0xd800 && c < 0xdc00 && i + 1 < text.length &&
                 (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
        bytes += 4;
        i += 1;
      } else {
        bytes += 3;
      }
    }
    return bytes;
  }

  function parseJson(text) {
    try {
      return JSON.parse(text);
    } catch (e) {
      return undefined;
    }
  }

  function isObject(value) {
    return typeof value === 'object' && value !== null;
  }

  /** @param {string} code @param {string} message @returns {any} an Error with a code */
  function codedError(code, message) {
    /** @type {any} */
    var error = new Error(message);
    error.code = code;
    return error;
  }

  /** 128 random bits as hex digits; from the clock and Math.random where nothing better is. */
  function randomId(env) {
    var bytes = env.bytes(16);
    var text = '';
    var i;
    var value;
    for (i = 0; i < 16; i += 1) {
      value = bytes ? bytes[i] : Math.floor(env.random() * 256);
      text += (value < 16 ? '0' : '') + value.toString(16);
    }
    return bytes ? text : text + '-' + env.date().toString(36);
  }

  /** The local day of an instant, as a key: 2026-11-23. */
  function localDay(ms) {
    var date = new Date(ms);
    var month = date.getMonth() + 1;
    var day = date.getDate();
    return date.getFullYear() + (month < 10 ? '-0' : '-') + month + (day < 10 ? '-0' : '-') + day;
  }

  // ---- the browser, captured once --------------------------------------------------------------

  function storage(win, name) {
    try {
      return win[name] || null;
    } catch (e) {
      return null;  // storage that is switched off throws when it is only looked at
    }
  }

  function randomBytes(win, count) {
    var source = win.crypto || win.msCrypto;  // ie11-ok: crypto
    try {
      return source.getRandomValues(new Uint8Array(count));
    } catch (e) {
      return null;
    }
  }

  function listen(win, name, fn) {
    if (win.addEventListener) {
      win.addEventListener(name, fn, false);
    }
  }

  function unlisten(win, name, fn) {
    if (win.removeEventListener) {
      win.removeEventListener(name, fn, false);
    }
  }

  /**
   * Everything that the worker takes from its surroundings. A test gives its own:
   *   xhr() a new XMLHttpRequest · setTimeout, clearTimeout · now() ms that never go back ·
   *   date() ms of the wall clock · random() 0 to 1 · bytes(n) random bytes or null ·
   *   session, local: storages or null · frame {name} · location · history ·
   *   on(name, fn), off(name, fn): window events · document {documentMode} · userAgent ·
   *   log(text)
   * @param {Object<string, any>} given
   * @returns {any}
   */
  function environment(given) {
    /** @type {any} */
    var win = root;
    var clock = win.performance && win.performance.now ? win.performance : null;
    var Xhr = win.XMLHttpRequest;
    var setTimer = win.setTimeout;
    var clearTimer = win.clearTimeout;
    var env = {
      xhr: function () { return new Xhr(); },
      setTimeout: function (fn, ms) { return setTimer.call(win, fn, ms); },
      clearTimeout: function (id) { clearTimer.call(win, id); },
      now: function () { return clock ? clock.now() : new Date().getTime(); },
      date: function () { return new Date().getTime(); },
      random: function () { return Math.random(); },
      bytes: function (count) { return randomBytes(win, count); },
      session: given.session === undefined ? storage(win, 'sessionStorage') : null,
      local: given.local === undefined ? storage(win, 'localStorage') : null,
      frame: win,
      location: win.location || {},
      history: win.history || {},
      on: function (name, fn) { listen(win, name, fn); },
      off: function (name, fn) { unlisten(win, name, fn); },
      document: win.document || {},
      userAgent: win.navigator ? win.navigator.userAgent : '',
      log: function (text) {
        if (win.console && win.console.log) {
          win.console.log('Pagehand: ' + text);
        }
      }
    };
    each(given, function (value, key) { env[key] = value; });
    return env;
  }

  // ---- what outlives a page load ---------------------------------------------------------------

  var NAME_PREFIX = 'pagehand:';
  var NAME_LIMIT = 262144;

  /**
   * Strings by key that survive a reload: in sessionStorage, else in window.name (where nobody else
   * uses it), else only in memory (`persistent` is then false).
   */
  function Shelf(env, prefix) {
    this._prefix = prefix + '.';
    this._frame = env.frame;
    this._store = this._works(env.session) ? env.session : null;
    this._map = this._store ? null : this._readName();
    this.persistent = Boolean(this._store || this._map);
    this._map = this._map || {};
  }

  Shelf.prototype._works = function (store) {
    var key = this._prefix + 'probe';
    try {
      store.setItem(key, '1');
      store.removeItem(key);
      return true;
    } catch (e) {
      return false;
    }
  };

  Shelf.prototype._readName = function () {
    var name;
    try {
      name = String(this._frame.name || '');
      if (name === '') {
        return {};
      }
      return name.indexOf(NAME_PREFIX) === 0 ? JSON.parse(name.slice(NAME_PREFIX.length)) : null;
    } catch (e) {
      return null;
    }
  };

  Shelf.prototype._writeName = function () {
    var text;
    if (!this.persistent) {
      return false;
    }
    text = NAME_PREFIX + JSON.stringify(this._map);
    if (text.length > NAME_LIMIT) {
      return false;
    }
    this._frame.name = text;
    return true;
  };

  Shelf.prototype.get = function (key) {
    var value;
    if (!this._store) {
      value = own(this._map, this._prefix + key);
      return value === undefined ? null : value;
    }
    try {
      return this._store.getItem(this._prefix + key);
    } catch (e) {
      return null;
    }
  };

  /** False: it was not kept (no room). */
  Shelf.prototype.set = function (key, value) {
    if (!this._store) {
      this._map[this._prefix + key] = value;
      if (!this._writeName()) {
        if (this.persistent) {
          delete this._map[this._prefix + key];
        }
        return false;
      }
      return true;
    }
    try {
      this._store.setItem(this._prefix + key, value);
      return true;
    } catch (e) {
      return false;
    }
  };

  Shelf.prototype.remove = function (key) {
    if (!this._store) {
      delete this._map[this._prefix + key];
      this._writeName();
      return;
    }
    try {
      this._store.removeItem(this._prefix + key);
    } catch (e) {
      noop();  // a storage that was taken away meanwhile has nothing to remove
    }
  };

  /** The keys that begin with `start`, without it. */
  Shelf.prototype.keys = function (start) {
    var wanted = this._prefix + start;
    var found = [];
    var i;
    var key;
    if (!this._store) {
      each(this._map, function (value, name) {
        if (name.indexOf(wanted) === 0) {
          found.push(name.slice(wanted.length));
        }
      });
      return found;
    }
    try {
      for (i = 0; i < this._store.length; i += 1) {
        key = this._store.key(i);
        if (key.indexOf(wanted) === 0) {
          found.push(key.slice(wanted.length));
        }
      }
    } catch (e) {
      return [];
    }
    return found;
  };

  /**
   * Who this worker is: {worker, secret, paused, told, today}. Every window keeps its own in the
   * shelf; the first window also claims the record in localStorage, so that it is the same worker
   * after the browser was closed. A claim that is refreshed belongs to a window that lives: others
   * leave it alone.
   */
  function Identity(shelf, env, prefix) {
    this._shelf = shelf;
    this._env = env;
    this._local = env.local;
    this._key = prefix + '.first';
    this._claimedAt = -Infinity;
    this.record = this._load();
  }

  Identity.prototype._load = function () {
    var record = parseJson(this._shelf.get('worker') || '');
    if (!isObject(record)) {
      record = this._readClaim();
      record = record && this._isStale(record) ? record : {};
    }
    return {
      worker: typeof record.worker === 'string' ? record.worker : null,
      secret: typeof record.secret === 'string' ? record.secret : null,
      paused: record.paused === true,
      told: record.told === true,
      today: isObject(record.today) ? record.today : {}
    };
  };

  Identity.prototype._readClaim = function () {
    var record;
    try {
      record = JSON.parse(this._local.getItem(this._key));
    } catch (e) {
      return null;
    }
    return isObject(record) && record.worker ? record : null;
  };

  Identity.prototype._isStale = function (record) {
    var age = this._env.date() - record.seen;
    return !(age >= 0 && age < CLAIM_STALE_MS);  // also where `seen` is missing or in the future
  };

  Identity.prototype._writeClaim = function (seen) {
    var record = this.record;
    var claim = { seen: seen };
    each(record, function (value, key) { claim[key] = value; });
    try {
      this._local.setItem(this._key, JSON.stringify(claim));
    } catch (e) {
      noop();  // no localStorage: the worker lives as long as its window
    }
  };

  /** Into the shelf only; the claim follows within seconds. */
  Identity.prototype.keep = function () {
    this._shelf.set('worker', JSON.stringify(this.record));
  };

  Identity.prototype.save = function () {
    this.keep();
    this._claimedAt = -Infinity;
    this.claim();
  };

  /** Called every second: keeps the claim fresh, or takes over one that nobody refreshes. */
  Identity.prototype.claim = function () {
    var now = this._env.now();
    var claim;
    if (!this.record.worker || now - this._claimedAt < CLAIM_MS) {
      return;
    }
    this._claimedAt = now;
    claim = this._readClaim();
    if (!claim || claim.worker === this.record.worker || this._isStale(claim)) {
      this._writeClaim(this._env.date());
    }
  };

  /** The window closes or reloads: the next one may have the identity at once. */
  Identity.prototype.letGo = function () {
    var claim = this._readClaim();
    if (claim && claim.worker === this.record.worker) {
      this._writeClaim(0);
    }
    this._claimedAt = -Infinity;
  };

  // ---- Engine.IO version 4 over HTTP long-polling ----------------------------------------------

  /**
   * One session; after any trouble it is closed for good and the caller makes another.
   * options: url, openTimeoutMs, postTimeoutMs, pollSlackMs.
   * handlers: onopen(), onmessage(text), onclose({code, detail, status}).
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
    this._packetLimit = 16;
    this._byteLimit = Infinity;
    //: env.now() of the last answer that the server gave.
    this.heardAt = env.now();
  }

  Engine.prototype.isOpen = function () {
    return this._state === 'open';
  };

  Engine.prototype.open = function () {
    this._state = 'opening';
    this._poll();
  };

  /** Told by the server: packets in one POST, bytes in one POST. */
  Engine.prototype.limit = function (packets, bytes) {
    this._packetLimit = packets;
    this._byteLimit = Math.min(this._byteLimit, bytes);
  };

  Engine.prototype.byteLimit = function () {
    return this._byteLimit;
  };

  /** Queue a message; `sent` is called when the POST that carried it was answered with 200. */
  Engine.prototype.send = function (text, sent) {
    this._queue.push({ text: text, size: utf8Length(text) + 1, sent: sent || noop });
    this._flush();
  };

  /** The texts that no answered POST has carried. */
  Engine.prototype.unsent = function () {
    return this._queue.map(function (item) { return item.text; });
  };

  /** End, and say so with a few last messages; whether they arrive is not known. */
  Engine.prototype.close = function (texts) {
    var packets = (texts || []).map(function (text) { return '4' + text; }).concat(['1']);
    var wasOpen = this._state === 'open';
    this._end();
    if (wasOpen) {
      this._request('POST', packets.join(SEPARATOR), this._options.postTimeoutMs, noop);
    }
  };

  /** End without a word; nothing is called any more. */
  Engine.prototype.abort = function () {
    this._end();
  };

  /**
   * Called every second: timers stand still while a machine sleeps, so compare the clock. After a
   * long task the answer may be there already and only wait to be read: hence the second look.
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

  Engine.prototype._fail = function (code, detail, status) {
    if (this._state === 'closed') {
      return;
    }
    this._end();
    this._handlers.onclose({ code: code, detail: detail || '', status: status || 0 });
  };

  Engine.prototype._address = function () {
    var stamp;
    this._stamps += 1;
    // Internet Explorer answers a repeated address from its cache, so no address is used twice.
    stamp = this._env.date().toString(36) + '.' + this._stamps.toString(36) + '.' +
      Math.floor(this._env.random() * 0x7fffffff).toString(36);
    return this._options.url + '/engine.io/?EIO=4&transport=polling&t=' + stamp +
      (this._sid ? '&sid=' + encodeURIComponent(this._sid) : '');
  };

  /** One XHR; done(status, text, type) is called once. 0: network, -1: too late, -2: forbidden. */
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
        due = Infinity;  // a task held the page: an answer may be waiting behind this timer
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

  /** In Internet Explorer reading a failed request may throw, and 12xxx are errors of WinINet. */
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
    this._get = this._request('GET', null, this._silenceMs, function (status, text, type) {
      self._get = null;
      self._polled(status, text, type);
    });
  };

  Engine.prototype._polled = function (status, text, type) {
    var packets;
    if (!this._passed(status, 'E-NET-02')) {
      return;
    }
    packets = this._packets(text, type);
    if (!packets) {
      this._fail('E-NET-04', 'not Engine.IO: ' + clip(text, 60), status);
      return;
    }
    this.heardAt = this._env.now();
    this._corked += 1;
    this._receive(packets);
    this._corked -= 1;
    this._flush();
  };

  /** Whether an answer is one at all; if not, the session is over. */
  Engine.prototype._passed = function (status, lateCode) {
    if (status === 200) {
      return true;
    }
    if (status === -1) {
      this._fail(lateCode, 'timed out');
    } else if (status === -2) {
      this._fail('E-NET-10', 'the browser refused the request');
    } else if (status === 0) {
      this._fail('E-NET-01', 'no answer');
    } else if (status === 400 && this._sid) {
      this._fail('E-NET-05', 'status 400', status);
    } else {
      this._fail('E-NET-06', 'status ' + status, status);
    }
    return false;
  };

  /** The packets of a poll's answer, or null if any of them is not one: then nothing is obeyed. */
  Engine.prototype._packets = function (text, type) {
    var packets = text.split(SEPARATOR);
    var allowed = '1246';
    var i;
    if (type && !/^text\/plain/i.test(type)) {
      return null;
    }
    if (this._state === 'opening' && !this._handshake(packets.shift())) {
      return null;
    }
    for (i = 0; i < packets.length; i += 1) {
      if (packets[i] === '' || allowed.indexOf(packets[i].charAt(0)) < 0) {
        return null;
      }
    }
    return packets;
  };

  Engine.prototype._handshake = function (packet) {
    var facts = packet.charAt(0) === '0' ? parseJson(packet.slice(1)) : null;
    if (!isObject(facts) || typeof facts.sid !== 'string' || !facts.sid ||
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
      if (packets[i].charAt(0) === '1') {
        this._fail('E-NET-07', 'close packet');
        return;
      }
      idle = idle && packets[i].charAt(0) === '6';
    }
    this._state = 'open';
    this._pollAgain(idle);
    if (opening) {
      this._handlers.onopen();
    }
    for (i = 0; i < packets.length && this._state === 'open'; i += 1) {
      if (packets[i].charAt(0) === '2') {
        this._pongs += 1;
      } else if (packets[i].charAt(0) === '4') {
        this._handlers.onmessage(packets[i].slice(1));
      }
    }
  };

  /** Answers that say nothing must not make the page poll as fast as it can. */
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

  /** One POST at a time; what it carries stays queued until it is answered. */
  Engine.prototype._flush = function () {
    var self = this;
    var body;
    var pongs = this._pongs;
    if (this._corked || this._post || this._state !== 'open' || !(pongs || this._queue.length)) {
      return;
    }
    body = this._batch();
    this._post = this._request('POST', body.text, this._postTimeout(body.size),
      function (status, text) {
        self._post = null;
        self._posted(status, text, pongs);
      });
    this._makeRoom(body.size);
  };

  /**
   * A browser has few connections to one host (6, old ones 2), and other pages in it may hold the
   * rest with their polls: a POST would wait until one of those is answered. If it waits for far
   * longer than the quickest answer here has taken, it gets the connection of this page's own poll.
   * Where that does not help at once it was not for want of a connection: wait longer next time.
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

  /** As many messages as the server takes in one POST; a pong goes first, a large message alone. */
  Engine.prototype._batch = function () {
    var parts = this._pongs ? ['3'] : [];
    var size = parts.length;
    var count = 0;
    var cost;
    while (count < this._queue.length && parts.length < this._packetLimit) {
      cost = this._queue[count].size + (parts.length ? 1 : 0);
      if (parts.length && size + cost > this._byteLimit) {
        break;
      }
      parts.push('4' + this._queue[count].text);
      size += cost;
      count += 1;
    }
    this._flying = count;
    return { text: parts.join(SEPARATOR), size: size };
  };

  Engine.prototype._posted = function (status, text, pongs) {
    var sent;
    if (!this._passed(status, 'E-NET-03')) {
      return;
    }
    if (!/^\s*ok\s*$/i.test(text)) {
      this._fail('E-NET-04', 'not Engine.IO: ' + clip(text, 60), status);
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
    sent = this._queue.splice(0, this._flying);
    this._flying = 0;
    this._corked += 1;
    sent.forEach(function (item) { item.sent(); });
    this._corked -= 1;
    this._flush();
  };

  // ---- messages --------------------------------------------------------------------------------

  /** The fields that a message of the server must have, and their types. */
  var SERVER_MESSAGES = {
    registered: { worker: 'string', secret: 'string', name: 'string', settings: 'object' },
    job: {
      attempt: 'string', id: 'string', type: 'string', number: 'number', timeout_ms: 'number'
    },
    go: { attempt: 'string' },
    recorded: { attempt: 'string', verdict: 'string' },
    cancel: { attempt: 'string', reason: 'string' },
    drain: {},
    resume: {},
    reload: {},
    refused: { code: 'string', detail: 'string' }
  };

  /** One message of the server. Throws an Error with code bad_message or unknown_op. */
  function readMessage(text) {
    var message = parseJson(text);
    var fields;
    if (!isObject(message) || typeof message.op !== 'string') {
      throw codedError('bad_message', 'not a message: ' + clip(text, 60));
    }
    fields = own(SERVER_MESSAGES, message.op);
    if (!fields) {
      throw codedError('unknown_op', 'unknown op ' + clip(message.op, 50));
    }
    each(fields, function (type, name) {
      if (typeof message[name] !== type || message[name] === null) {
        throw codedError('bad_message', message.op + ' without ' + name);
      }
    });
    if (message.op === 'job' && !hasOwn.call(message, 'data')) {
      throw codedError('bad_message', 'job without data');
    }
    return message;
  }

  /**
   * JSON that every reader takes. Newer engines write half of a surrogate pair as an escape, which
   * strict parsers refuse; older ones write it raw, and XMLHttpRequest sends U+FFFD for it.
   */
  function toJson(value) {
    var json = JSON.stringify(value);
    if (json === undefined || json.indexOf('\\ud') < 0) {
      return json;
    }
    return json.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|[\s\S])/g, function (escape, half) {
      return half ? '\ufffd' : escape;
    });
  }

  /** The text of a message; fields that are undefined are left out. */
  function writeMessage(op, fields) {
    var message = { op: op };
    each(fields, function (value, key) { message[key] = value; });
    return toJson(message);
  }

  function resultMessage(attempt, json) {
    return '{"op":"result","attempt":' + JSON.stringify(attempt) + ',"value":' + json + '}';
  }

  /** Whatever a task threw or gave to done, as the fields of an `error`. */
  function errorFields(error) {
    var fields = { message: '', retry: true };
    var stack;
    try {
      if (isObject(error)) {
        fields.message = clip(error.message || error.name || error, 10000);
        stack = error.stack;
        fields.stack = stack ? clip(stack, 50000) : undefined;
        fields.code = typeof error.code === 'string' ? clip(error.code, 200) : undefined;
        fields.retry = error.retry !== false;
      } else {
        fields.message = clip(error, 10000);
      }
    } catch (e) {
      fields.message = 'an error that cannot be read';
    }
    return fields;
  }

  // ---- tasks -----------------------------------------------------------------------------------

  var registry = {};
  var started = [];

  /**
   * Register a task, before or after the worker has started.
   * @param {string} name 1 to 100 letters, digits, dots, - and _
   * @param {function(Object, function(*, *): void): *} fn (job, done)
   * @param {{quick?: boolean}} [options]
   */
  function task(name, fn, options) {
    if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,100}$/.test(name)) {
      throw codedError('bad_name', 'a task is named by 1 to 100 letters, digits, dots, - and _');
    }
    if (typeof fn !== 'function') {
      throw codedError('bad_task', 'the task ' + name + ' is no function');
    }
    registry[name] = { name: name, fn: fn, quick: Boolean(options && options.quick) };
    started.forEach(function (worker) { worker._typesChanged(); });
    return Pagehand;
  }

  /**
   * An error that makes the job fail at once, without another try.
   * @param {string} message
   * @param {string} [code] machine-readable, at most 200 characters ('fatal')
   */
  function fatal(message, code) {
    /** @type {any} */
    var error = new Error(message);
    error.code = code || 'fatal';
    error.retry = false;
    return error;
  }

  // ---- the worker ------------------------------------------------------------------------------

  var DEFAULTS = {
    url: '',
    types: null,
    name: '',
    slots: 1,
    token: null,
    labels: {},
    storageKey: 'pagehand',
    backoffMinMs: 1000,
    backoffMaxMs: 30000,
    openTimeoutMs: 15000,
    postTimeoutMs: 15000,
    pollSlackMs: 5000
  };

  function withDefaults(given) {
    /** @type {any} */
    var options = {};
    each(DEFAULTS, function (value, key) {
      options[key] = given[key] === undefined || given[key] === null ? value : given[key];
    });
    options.url = String(options.url).replace(/\/+$/, '');
    options.name = clip(options.name, 100);
    options.slots = Math.max(1, Math.min(64, Math.floor(options.slots) || 1));
    return options;
  }

  /**
   * @constructor
   * @param {Object<string, any>} [given] the options; see the top of this file
   */
  function Worker(given) {
    var options = withDefaults(given || {});
    var env = environment((given && given.env) || {});
    this._options = options;
    this._env = env;
    this._shelf = new Shelf(env, options.storageKey);
    this._identity = new Identity(this._shelf, env, options.storageKey);
    this._token = options.token || this._findToken();
    this._boot = randomId(env);
    this._loadedAt = env.date();
    this._after = /^[A-Za-z0-9_-]{1,64}$/.exec(this._shelf.get('left') || '');
    this._attempts = {};
    this._settled = [];
    this._outbox = [];
    this._events = [];
    this._listeners = {};
    this._hooks = [];
    this._settings = { repeat_ms: 5000, result_limit: 1048576 };
    this._name = options.name;
    this._engine = null;
    this._trouble = null;       // STATE.NOT_ALLOWED or OUT_OF_DATE, until the server takes us
    this._running = false;
    this._registered = false;
    this._registerAt = -Infinity;
    this._registering = false;
    this._toldTypes = '';
    this._everConnected = false;
    this._draining = false;
    this._offline = false;
    this._failures = 0;
    this._refusals = 0;
    this._retryAt = null;
    this._retryTimer = null;
    this._tickTimer = null;
    this._connectedAt = null;
    this._healthyAt = Infinity;
    this._heardAt = null;
    this._error = null;
    this._restore();
  }

  /** The token of the address goes to the shelf, and out of the address if it could be kept. */
  Worker.prototype._findToken = function () {
    var location = this._env.location;
    var pattern = /([#?&])token=([^&#]*)&?/;
    var found = pattern.exec(String(location.hash || '')) ||
      pattern.exec(String(location.search || ''));
    var token = null;
    if (!found) {
      return this._shelf.get('token');
    }
    try {
      token = decodeURIComponent(found[2].replace(/\+/g, ' '));
    } catch (e) {
      token = found[2];
    }
    if (this._shelf.set('token', token)) {
      this._cleanAddress(pattern);
    }
    return token;
  };

  Worker.prototype._cleanAddress = function (pattern) {
    var location = this._env.location;
    var history = this._env.history;
    var search = String(location.search || '').replace(pattern, '$1').replace(/[?&]$/, '');
    var hash = String(location.hash || '').replace(pattern, '$1').replace(/[#&]$/, '');
    try {
      history.replaceState(null, '', String(location.pathname || '/') + search + hash);
    } catch (e) {
      noop();  // an old document mode: the token stays in the address
    }
  };

  /** Results that an earlier load of this page had not seen recorded. */
  Worker.prototype._restore = function () {
    var self = this;
    this._shelf.keys('stash.').forEach(function (id) {
      var text = self._shelf.get('stash.' + id);
      if (text) {
        self._attempts[id] = {
          id: id,
          type: '',
          phase: PHASE.ENDED,
          text: text,
          queued: null,
          sentAt: -Infinity,
          times: 0
        };
      }
    });
  };

  Worker.prototype.on = function (event, fn) {
    this._listeners[event] = (this._listeners[event] || []).concat([fn]);
    return this;
  };

  Worker.prototype._emit = function (event, value) {
    var self = this;
    (this._listeners[event] || []).forEach(function (fn) {
      try {
        fn(value);
      } catch (e) {
        self._env.log('a listener failed: ' + clip(e && e.message, 200));
      }
    });
  };

  Worker.prototype._changed = function () {
    if (this._listeners.status) {
      this._emit('status', this.status());
    }
  };

  Worker.prototype._note = function (text) {
    var event = { at: this._env.date(), text: text };
    this._events.push(event);
    if (this._events.length > EVENTS_KEPT) {
      this._events.shift();
    }
    this._emit('event', event);
  };

  Worker.prototype._fault = function (code, detail) {
    this._error = { code: code, text: CODES[code], detail: detail || '', at: this._env.date() };
    this._note(code + ' ' + CODES[code] + (detail ? ' (' + detail + ')' : ''));
  };

  // -- the life of a worker

  Worker.prototype.start = function () {
    if (this._running) {
      return this;
    }
    this._running = true;
    started.push(this);
    this._hook();
    this._tick();
    this._connect();
    return this;
  };

  /** Stop for good: what is running here is lost. */
  Worker.prototype.stop = function () {
    var self = this;
    if (!this._running) {
      return;
    }
    this._running = false;
    started = started.filter(function (worker) { return worker !== self; });
    this._hooks.forEach(function (hook) { self._env.off(hook[0], hook[1]); });
    this._hooks = [];
    this._env.clearTimeout(this._tickTimer);
    this._leave(this._registered ? [writeMessage('bye', {})] : []);
    this._note('stopped');
    this._changed();
  };

  Worker.prototype.pause = function () {
    this._setPaused(true);
  };

  Worker.prototype.resume = function () {
    this._setPaused(false);
  };

  Worker.prototype._setPaused = function (paused) {
    if (this._identity.record.paused === paused) {
      return;
    }
    this._identity.record.paused = paused;
    this._identity.save();
    this._note(paused ? 'paused' : 'resumed');
    this._sayPause();
    this._changed();
  };

  /** Make a new session now, whatever the state of the old one. */
  Worker.prototype.reconnect = function () {
    if (!this._running) {
      return;
    }
    this._leave([]);
    this._connect();
  };

  Worker.prototype._hook = function () {
    var self = this;
    function hook(name, fn) {
      self._hooks.push([name, fn]);
      self._env.on(name, fn);
    }
    hook('pagehide', function () { self._hidden(); });
    if (this._env.document.documentMode) {
      hook('unload', function () { self._hidden(); });  // elsewhere it would forbid the page cache
    }
    hook('pageshow', function () { self._shown(); });
    hook('offline', function () { self._offline = true; });
    hook('online', function () { self._online(); });
    hook('error', function (event) { self._scriptFailed(event); });
  };

  /**
   * Internet Explorer holds requests beyond the page's end unless they are aborted. No `bye`: a
   * reload brings a new boot, which finds in this window which boot has left it, and tells the
   * server that it need not ask for that one. Should the page live on, it connects again.
   */
  Worker.prototype._hidden = function () {
    this._identity.letGo();
    this._shelf.set('left', this._boot);
    if (this._engine) {
      this._leave(null);
      this._retryIn(this._options.backoffMinMs);
    }
  };

  Worker.prototype._shown = function () {
    if (this._retryTimer !== null) {
      this._connect();
    }
  };

  /** A network that was away took the connections with it, whether or not they know. */
  Worker.prototype._online = function () {
    var was = this._offline;
    this._offline = false;
    if (!was || !this._running) {
      return;
    }
    if (this._engine) {
      this._engine.fail('E-NET-09', 'offline');
    }
    if (this._retryTimer !== null) {
      this._connect();
    }
  };

  Worker.prototype._scriptFailed = function (event) {
    var self = this;
    var text = clip((event && event.message) || 'unknown', 500);
    if (event && !event.message) {
      return;  // a file that could not be loaded, not a script that failed
    }
    this._fault('E-JS-01', text);
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.RUNNING) {
        self._log(attempt, 'uncaught on the page: ' + text);
      }
    });
    this._changed();
  };

  // -- sessions

  Worker.prototype._connect = function () {
    var self = this;
    var engine;
    this._env.clearTimeout(this._retryTimer);
    this._retryTimer = null;
    this._retryAt = null;
    this._shelf.remove('left');  // a page that connects lives, and a copy of its window must know
    if (!this._types().length) {
      this._fault('E-TYP-01');
      this._changed();
      return;
    }
    engine = new Engine(this._options, this._env, {
      onopen: function () { self._opened(); },
      onmessage: function (text) { self._received(text); },
      onclose: function (reason) {
        if (self._engine === engine) {
          self._closed(reason);
        }
      }
    });
    this._engine = engine;
    engine.open();
    this._changed();
  };

  Worker.prototype._opened = function () {
    this._note('connected');
    this._register();
    this._changed();
  };

  /** Give the session up, keeping messages that matter. `last`: texts for a goodbye, or null. */
  Worker.prototype._leave = function (last) {
    var engine = this._engine;
    this._engine = null;
    if (engine) {
      this._keep(engine.unsent());
      if (last) {
        engine.close(last);
      } else {
        engine.abort();
      }
    }
    this._unregister();
    this._connectedAt = null;
    this._env.clearTimeout(this._retryTimer);
    this._retryTimer = null;
    this._retryAt = null;
  };

  Worker.prototype._unregister = function () {
    this._registered = false;
    this._registering = false;
    this._healthyAt = Infinity;
    each(this._attempts, function (attempt) { attempt.queued = null; });
  };

  /** Lines and releases wait for the next session; everything else is said anew by then. */
  Worker.prototype._keep = function (texts) {
    var self = this;
    texts.forEach(function (text) {
      if (/^\{"op":"(log|released)"/.test(text) && self._outbox.length < OUTBOX_LIMIT) {
        self._outbox.push(text);
      }
    });
  };

  Worker.prototype._closed = function (reason) {
    var atOnce = reason.code === 'E-NET-05' && this._failures === 0;
    this._keep(this._engine.unsent());
    this._engine = null;
    this._connectedAt = null;
    this._unregister();
    this._fault(reason.code, reason.detail);
    this._failures += 1;
    this._retryIn(atOnce ? 0 : this._backoff());
    this._changed();
  };

  /** Full jitter: anywhere between the shortest wait and a ceiling that doubles. */
  Worker.prototype._backoff = function () {
    var low = this._options.backoffMinMs;
    var doubled = low * Math.pow(2, Math.min(this._failures, 20));
    var ceiling = Math.min(this._options.backoffMaxMs, doubled);
    return low + this._env.random() * (ceiling - low);
  };

  Worker.prototype._retryIn = function (ms) {
    var self = this;
    this._env.clearTimeout(this._retryTimer);
    this._retryAt = this._env.now() + ms;
    this._retryTimer = this._env.setTimeout(function () { self._connect(); }, ms);
  };

  /** Once a second: everything that is repeated, and a look at the clock. */
  Worker.prototype._tick = function () {
    var self = this;
    var now = this._env.now();
    this._tickTimer = this._env.setTimeout(function () { self._tick(); }, TICK_MS);
    if (this._engine) {
      this._engine.check();
    }
    if (now >= this._healthyAt) {
      this._failures = 0;
      this._healthyAt = Infinity;
    }
    this._identity.claim();
    this._repeat(now);
  };

  Worker.prototype._repeat = function (now) {
    var self = this;
    var due = now - this._settings.repeat_ms;
    if (!this._engine || !this._engine.isOpen()) {
      return;
    }
    if (!this._registered) {
      if (!this._registering && this._registerAt <= due) {
        this._register();
      }
      return;
    }
    each(this._attempts, function (attempt) {
      if (!attempt.queued && attempt.sentAt <= due) {
        self._say(attempt);
      }
    });
  };

  // -- registering

  Worker.prototype._types = function () {
    var wanted = this._options.types;
    return Object.keys(registry).filter(function (name) {
      return !wanted || wanted.indexOf(name) >= 0;
    }).sort();
  };

  Worker.prototype._typesChanged = function () {
    if (!this._engine && this._retryTimer === null) {
      this._connect();
    } else if (this._registered && this._toldTypes !== this._types().join()) {
      this._register();
    }
  };

  Worker.prototype._register = function () {
    var self = this;
    this._registered = false;
    this._registering = true;
    this._registerAt = this._env.now();
    this._toldTypes = this._types().join();
    this._engine.send(this._registration(), function () {
      self._registering = false;
      self._registerAt = self._env.now();
    });
  };

  Worker.prototype._registration = function () {
    var known = this._identity.record;
    var holding = [];
    var finished = [];
    var now = this._env.now();
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.ENDED) {
        finished.push(attempt.id);
      } else {
        holding.push({
          attempt: attempt.id,
          elapsed_ms: attempt.startedAt === null ? 0 : Math.round(now - attempt.startedAt)
        });
      }
    });
    return writeMessage('register', {
      version: PROTOCOL,
      types: this._types(),
      boot: this._boot,
      after: this._after ? this._after[0] : undefined,
      worker: known.worker || undefined,
      secret: known.secret || undefined,
      name: this._options.name,
      slots: this._options.slots,
      token: this._token || undefined,
      holding: holding,
      finished: finished,
      labels: this._options.labels,
      page: this._describe()
    });
  };

  Worker.prototype._describe = function () {
    return {
      document_mode: this._env.document.documentMode || null,
      user_agent: clip(this._env.userAgent, 500),
      library: VERSION,
      storage: this._shelf.persistent
    };
  };

  Worker.prototype._onRegistered = function (message) {
    var self = this;
    var known = this._identity.record;
    var fresh = !this._registered;
    this._registered = true;
    this._everConnected = true;
    this._registering = false;
    this._refusals = 0;
    this._trouble = null;
    this._draining = false;
    this._name = message.name;
    known.worker = message.worker;
    known.secret = message.secret;
    this._identity.save();
    this._shelf.remove('outdated');
    this._adopt(message.settings);
    if (this._connectedAt === null) {
      this._connectedAt = this._env.date();
    }
    if (fresh) {
      this._healthyAt = this._env.now() + HEALTHY_MS;
      each(this._attempts, function (attempt) { self._say(attempt); });
      this._outbox.splice(0).forEach(function (text) { self._send(text); });
      this._sayPause();
    }
    this._typesChanged();  // a task may have come while we waited
    this._changed();
  };

  /** `told`: what the server was last told; it remembers a pause longer than a session. */
  Worker.prototype._sayPause = function () {
    var identity = this._identity;
    var paused = identity.record.paused;
    if (this._registered && (paused || identity.record.told)) {
      this._engine.send(writeMessage(paused ? 'pause' : 'resume', {}), function () {
        identity.record.told = paused;
        identity.save();
      });
    }
  };

  Worker.prototype._adopt = function (settings) {
    var mine = this._settings;
    each(settings, function (value, key) {
      if (typeof value === 'number' && value > 0) {
        mine[key] = value;
      }
    });
    this._engine.limit(mine.packet_limit || 16, mine.post_limit || Infinity);
  };

  // -- sending

  Worker.prototype._send = function (text, sent) {
    if (this._registered) {
      this._engine.send(text, sent);
    } else {
      this._keep([text]);
    }
  };

  /** What the server must hear about an attempt: its report, or the accept it may have missed. */
  Worker.prototype._say = function (attempt) {
    var self = this;
    var text;
    if (!this._registered || attempt.queued) {
      return;
    }
    if (attempt.phase === PHASE.RUNNING && attempt.acceptedAt !== null) {
      return;  // `holding` says it
    }
    if (attempt.phase === PHASE.RUNNING && attempt.task.quick && !attempt.late) {
      return;
    }
    text = attempt.phase === PHASE.ENDED ? attempt.text : accept(attempt);
    attempt.queued = text;
    this._engine.send(text, function () {
      if (attempt.queued === text) {
        attempt.queued = null;
        attempt.sentAt = self._env.now();
        attempt.times += 1;
      }
      if (attempt.phase !== PHASE.ENDED) {
        self._accepted(attempt);
      }
    });
  };

  function accept(attempt) {
    return writeMessage('accept', { attempt: attempt.id });
  }

  Worker.prototype._release = function (id, reason) {
    this._send(writeMessage('released', { attempt: id, reason: reason }));
  };

  // -- receiving

  Worker.prototype._received = function (text) {
    var message;
    try {
      message = readMessage(text);
    } catch (e) {
      this._fault('E-MSG-02', e.message);
      return;
    }
    this._obey(message);
  };

  Worker.prototype._obey = function (message) {
    switch (message.op) {
      case 'registered': this._onRegistered(message); break;
      case 'job': this._onJob(message); break;
      case 'go': this._onGo(message); break;
      case 'recorded': this._onRecorded(message.attempt, message.verdict); break;
      case 'cancel': this._onCancel(message); break;
      case 'drain': this._onDrain(true); break;
      case 'resume': this._onDrain(false); break;
      case 'reload': this.reload(); break;
      case 'refused': this._onRefused(message); break;
      default: throw codedError('unknown_op', message.op);
    }
  };

  Worker.prototype._onDrain = function (draining) {
    this._draining = draining;
    this._note(draining ? 'the server is about to stop' : 'the server goes on');
    this._changed();
  };

  /** Not more than once a minute, so that a mistake does not become a storm. */
  Worker.prototype.reload = function () {
    var last = this._shelf.persistent ? Number(this._shelf.get('reloaded')) : this._loadedAt;
    var age = this._env.date() - last;
    if (age >= 0 && age < RELOAD_MS) {
      this._note('reload asked for again within a minute: not done');
      return false;
    }
    this._shelf.set('reloaded', String(this._env.date()));
    this._note('reloading');
    this._env.location.reload();
    return true;
  };

  Worker.prototype._onRecorded = function (id, verdict) {
    var attempt = own(this._attempts, id);
    if (attempt && attempt.phase === PHASE.ENDED) {
      this._forget(attempt);
    }
    if (verdict !== 'recorded') {
      this._note('verdict ' + clip(verdict, 50) + ' on ' + id.slice(0, 8));
    }
    this._changed();
  };

  Worker.prototype._forget = function (attempt) {
    delete this._attempts[attempt.id];
    this._shelf.remove('stash.' + attempt.id);
    this._settled.push(attempt.id);
    if (this._settled.length > SETTLED_KEPT) {
      this._settled.shift();
    }
  };

  Worker.prototype._onRefused = function (message) {
    var attempt = message.attempt ? own(this._attempts, message.attempt) : undefined;
    if (message.code === 'bad_token') {
      this._turnedAway(STATE.NOT_ALLOWED, 'E-TOK-01', message.detail);
    } else if (message.code === 'bad_version') {
      this._turnedAway(STATE.OUT_OF_DATE, 'E-VER-01', message.detail);
      this._outdated();
    } else if (message.code === 'not_registered') {
      this._registerAgain();
    } else if (attempt) {
      this._fault('E-MSG-01', message.code + ': ' + clip(message.detail, 300));
      this._refusedAttempt(attempt, message.code, message.detail);
    } else if (!message.attempt) {
      this._fault('E-MSG-01', message.code + ': ' + clip(message.detail, 300));
      if (this._registered) {
        this._onUnreadable(message.detail);
      } else {
        this._turnedAway(null, null, '');  // `register` itself was refused: no use to ask at once
      }
    }
    this._changed();
  };

  /**
   * A message that the server could not read far enough to name its attempt. Only a result can be
   * so odd (nested a thousand deep, say), and it would be repeated and refused for ever: report an
   * error in its stead. Where several are open, the ones that keep coming back are meant.
   */
  Worker.prototype._onUnreadable = function (detail) {
    var self = this;
    var suspects = [];
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.ENDED && attempt.times > 0) {
        suspects.push(attempt);
      }
    });
    if (suspects.length > 1) {
      suspects = suspects.filter(function (attempt) { return attempt.times >= 3; });
    }
    suspects.forEach(function (attempt) { self._replace(attempt, detail); });
  };

  /** The server cannot read this result: report an error in its stead, once. */
  Worker.prototype._replace = function (attempt, detail) {
    if (attempt.replaced) {
      this._forget(attempt);
      return;
    }
    attempt.replaced = true;
    attempt.times = 0;
    attempt.queued = null;
    attempt.text = this._failure(attempt, {
      message: 'the server cannot read the result: ' + clip(detail, 500),
      code: 'unserialisable',
      retry: false
    });
    this._shelf.set('stash.' + attempt.id, attempt.text);
    this._say(attempt);
  };

  Worker.prototype._refusedAttempt = function (attempt, code, detail) {
    if (attempt.phase === PHASE.ENDED && code === 'bad_message') {
      this._replace(attempt, detail);
    } else if (attempt.phase === PHASE.ENDED) {
      this._forget(attempt);
    } else if (code === 'unknown_attempt') {
      this._cancel(attempt, code);
    }
  };

  /** The server knows the session but not us: say again who we are, but not in a storm. */
  Worker.prototype._registerAgain = function () {
    if (this._registered || (!this._registering && this._env.now() - this._registerAt > TICK_MS)) {
      this._unregister();
      this._register();
    }
  };

  /** Not wanted, for a reason that only people can mend: come back slowly. */
  Worker.prototype._turnedAway = function (state, code, detail) {
    this._trouble = state;
    if (code) {
      this._fault(code, clip(detail, 300));
    }
    this._leave([]);
    this._failures += 1;
    this._refusals += 1;
    this._retryIn(this._slowBackoff());
  };

  Worker.prototype._slowBackoff = function () {
    var ceiling = Math.min(300000, 30000 * Math.pow(2, Math.min(this._refusals - 1, 10)));
    return ceiling * (0.5 + this._env.random() / 2);
  };

  /** A reload brings the right page, unless a cache has the old one: then once is enough. */
  Worker.prototype._outdated = function () {
    if (this._shelf.persistent && !this._shelf.get('outdated') && this.reload()) {
      this._shelf.set('outdated', '1');
    }
  };

  // -- attempts

  Worker.prototype._busy = function () {
    var count = 0;
    each(this._attempts, function (attempt) {
      count += attempt.phase === PHASE.ENDED ? 0 : 1;
    });
    return count;
  };

  Worker.prototype._onJob = function (message) {
    var known = own(this._attempts, message.attempt);
    var attempt;
    if (known) {
      this._say(known);
      return;
    }
    if (!this._wants(message)) {
      this._note('declined a job of type ' + clip(message.type, 100));
      this._release(message.attempt, 'declined');
      return;
    }
    attempt = this._newAttempt(message);
    this._attempts[attempt.id] = attempt;
    if (attempt.task.quick && !attempt.confirm) {
      this._begin(attempt);
    } else {
      this._say(attempt);
    }
    this._changed();
  };

  Worker.prototype._wants = function (message) {
    return this._types().indexOf(message.type) >= 0 && !this._identity.record.paused &&
      this._busy() < this._options.slots && this._settled.indexOf(message.attempt) < 0;
  };

  Worker.prototype._newAttempt = function (message) {
    return {
      id: message.attempt,
      message: message,
      type: message.type,
      task: registry[message.type],
      confirm: message.confirm === true,
      phase: PHASE.OFFERED,
      late: false,          // a quick task that takes so long that it needs an accept after all
      queued: null,         // what of it waits in the session's queue
      sentAt: -Infinity,
      times: 0,             // how often what is to be said of it has been said
      replaced: false,      // its result could not be read and an error took its place
      acceptedAt: null,
      startedAt: null,
      startedDate: null,
      cancelled: null,
      cancels: [],
      job: null,
      text: null,
      progress: null,
      progressAt: -Infinity,
      timer: null
    };
  };

  Worker.prototype._accepted = function (attempt) {
    if (this._attempts[attempt.id] !== attempt) {
      return;
    }
    attempt.acceptedAt = this._env.now();
    if (attempt.phase !== PHASE.OFFERED) {
      return;
    }
    if (attempt.confirm) {
      attempt.phase = PHASE.WAITING;
      this._changed();
    } else {
      this._begin(attempt);
    }
  };

  /** `go` may overtake the answer to the accept: they come on different connections. */
  Worker.prototype._onGo = function (message) {
    var attempt = own(this._attempts, message.attempt);
    if (attempt && attempt.confirm &&
        (attempt.phase === PHASE.OFFERED || attempt.phase === PHASE.WAITING)) {
      this._begin(attempt);
    }
  };

  Worker.prototype._begin = function (attempt) {
    attempt.phase = PHASE.RUNNING;
    attempt.startedAt = this._env.now();
    attempt.startedDate = this._env.date();
    attempt.job = this._jobFor(attempt);
    this._changed();
    this._emit('job', attempt.job);
    this._run(attempt);
    if (attempt.phase === PHASE.RUNNING && attempt.task.quick && attempt.acceptedAt === null) {
      this._acceptLate(attempt);
    }
  };

  /** A quick task that is not done soon would let its offer lapse. */
  Worker.prototype._acceptLate = function (attempt) {
    var self = this;
    var ttl = this._settings.offer_ttl_ms || 10000;
    attempt.timer = this._env.setTimeout(function () {
      attempt.timer = null;
      if (attempt.phase === PHASE.RUNNING && self._attempts[attempt.id] === attempt) {
        attempt.late = true;
        self._say(attempt);
      }
    }, Math.min(1000, ttl / 4));
  };

  Worker.prototype._jobFor = function (attempt) {
    var self = this;
    var message = attempt.message;
    return {
      id: message.id,
      type: message.type,
      data: message.data,
      number: message.number,
      timeoutMs: message.timeout_ms,
      cancelled: false,
      progress: function (percent, note) { self._progress(attempt, percent, note); },
      log: function (line) { self._log(attempt, line); },
      onCancel: function (fn) {
        attempt.cancels.push(fn);
        if (attempt.cancelled !== null) {
          self._tellTask(attempt, [fn]);
        }
      }
    };
  };

  /** Run the task; the first of its ends counts. */
  Worker.prototype._run = function (attempt) {
    var self = this;
    var over = false;
    var value;
    function end(failed, outcome) {
      if (over) {
        self._fault('E-JOB-04', attempt.type);
        return;
      }
      over = true;
      self._ended(attempt, failed, outcome);
    }
    function done(error, outcome) {
      var failed = error !== undefined && error !== null && error !== false;
      end(failed, failed ? error : outcome);
    }
    try {
      value = attempt.task.fn(attempt.job, done);
      if (isObject(value) && typeof value.then === 'function') {
        value.then(function (outcome) { end(false, outcome); },
          function (error) { end(true, error); });
      } else if (value !== undefined) {
        end(false, value);
      } else if (!over && attempt.task.fn.length < 2) {
        self._log(attempt, 'the task returned nothing and takes no done: it may never end');
      }
    } catch (e) {
      if (over) {
        self._fault('E-JOB-01', attempt.type + ' threw after its end: ' + clip(e, 200));
        return;
      }
      end(true, e);
    }
  };

  /** The task has ended. An attempt that is known no more was given up meanwhile. */
  Worker.prototype._ended = function (attempt, failed, outcome) {
    if (this._attempts[attempt.id] !== attempt || attempt.phase !== PHASE.RUNNING) {
      return;
    }
    this._env.clearTimeout(attempt.timer);
    if (attempt.cancelled !== null && (failed || !mayCount(attempt.cancelled))) {
      this._giveUp(attempt);
      return;
    }
    if (failed) {
      this._fault('E-JOB-01', attempt.type + ': ' + clip(errorFields(outcome).message, 200));
      this._report(attempt, this._failure(attempt, errorFields(outcome)), false);
    } else {
      this._reportValue(attempt, outcome);
    }
  };

  Worker.prototype._reportValue = function (attempt, value) {
    var json;
    var size;
    var limit = this._settings.result_limit;
    var text;
    try {
      json = toJson(value === undefined ? null : value);
      if (json === undefined) {
        throw new Error('a function is no JSON');
      }
    } catch (e) {
      this._fault('E-JOB-03', attempt.type);
      this._report(attempt, this._failure(attempt, {
        message: 'the result cannot be written as JSON: ' + clip(e && e.message, 500),
        code: 'unserialisable',
        retry: false
      }), false);
      return;
    }
    text = resultMessage(attempt.id, json);
    size = utf8Length(json);
    if (size > limit || size + text.length - json.length + 1 > this._postLimit()) {
      this._fault('E-JOB-02', attempt.type);
      this._report(attempt, this._failure(attempt, {
        message: 'the result takes ' + size + ' bytes, the server takes ' + limit,
        code: 'result_too_large',
        retry: false
      }), false);
      return;
    }
    this._report(attempt, text, true);
  };

  Worker.prototype._postLimit = function () {
    return this._engine ? this._engine.byteLimit() : this._settings.post_limit || Infinity;
  };

  Worker.prototype._failure = function (attempt, fields) {
    return writeMessage('error', {
      attempt: attempt.id,
      message: fields.message,
      stack: fields.stack,
      code: fields.code,
      retry: fields.retry
    });
  };

  /** Into the stash before it is first sent: a reload must not lose it. */
  Worker.prototype._report = function (attempt, text, succeeded) {
    attempt.phase = PHASE.ENDED;
    attempt.text = text;
    attempt.queued = null;
    attempt.sentAt = -Infinity;
    attempt.times = 0;
    this._shelf.set('stash.' + attempt.id, text);
    this._count(succeeded);
    this._say(attempt);
    this._emit('ended', { attempt: attempt.id, type: attempt.type, succeeded: succeeded });
    this._changed();
  };

  Worker.prototype._count = function (succeeded) {
    var today = this._today();
    today[succeeded ? 'done' : 'failed'] += 1;
    this._identity.record.today = today;
    this._identity.keep();
  };

  Worker.prototype._today = function () {
    var day = localDay(this._env.date());
    var today = this._identity.record.today;
    if (today.day !== day) {
      return { day: day, done: 0, failed: 0 };
    }
    return { day: day, done: Number(today.done) || 0, failed: Number(today.failed) || 0 };
  };

  /** It is over, and there is nothing to report: the slot is free. */
  Worker.prototype._giveUp = function (attempt) {
    this._env.clearTimeout(attempt.timer);
    this._forget(attempt);
    this._release(attempt.id, 'cancelled');
    this._changed();
  };

  Worker.prototype._onCancel = function (message) {
    var attempt = own(this._attempts, message.attempt);
    if (!attempt) {
      this._release(message.attempt, 'cancelled');
    } else if (attempt.phase !== PHASE.ENDED) {
      this._cancel(attempt, message.reason);
    }
  };

  /**
   * A task that has not begun is dropped. One that runs holds its slot until it has ended, or until
   * the functions that it gave to onCancel have stopped it.
   */
  Worker.prototype._cancel = function (attempt, reason) {
    if (attempt.phase !== PHASE.RUNNING) {
      this._giveUp(attempt);
      return;
    }
    if (attempt.cancelled === null) {
      attempt.cancelled = reason;
      attempt.job.cancelled = true;
      this._note('cancel (' + clip(reason, 50) + ') of a job of type ' + attempt.type);
      this._tellTask(attempt, attempt.cancels.slice());
    } else if (!mayCount(reason)) {
      attempt.cancelled = reason;  // its value is of no use any more
    }
    this._changed();
  };

  Worker.prototype._tellTask = function (attempt, fns) {
    var self = this;
    var stopped = fns.length > 0;
    fns.forEach(function (fn) {
      try {
        stopped = fn(attempt.cancelled) !== false && stopped;
      } catch (e) {
        stopped = false;
        self._fault('E-JOB-01', attempt.type + ', in onCancel: ' + clip(e && e.message, 200));
      }
    });
    if (stopped && this._attempts[attempt.id] === attempt && attempt.phase === PHASE.RUNNING) {
      this._giveUp(attempt);
    }
  };

  // -- what a running task says

  Worker.prototype._talks = function (attempt) {
    return this._attempts[attempt.id] === attempt && attempt.phase === PHASE.RUNNING &&
      attempt.cancelled === null;
  };

  /** At most four a second, the newest wins: a task may call it in its innermost loop. */
  Worker.prototype._progress = function (attempt, percent, note) {
    var self = this;
    var fields = { attempt: attempt.id };
    var wait;
    if (!this._talks(attempt)) {
      return;
    }
    if (typeof percent === 'number' && percent === percent) {
      fields.percent = Math.max(0, Math.min(100, percent));
    }
    if (note !== undefined && note !== null) {
      fields.note = clip(note, 2000);
    }
    if (attempt.progress) {
      attempt.progress = fields;  // the timer will send it
      return;
    }
    attempt.progress = fields;
    wait = attempt.progressAt + PROGRESS_MS - this._env.now();
    if (wait <= 0) {
      this._sendProgress(attempt);
    } else {
      this._env.setTimeout(function () { self._sendProgress(attempt); }, wait);
    }
  };

  Worker.prototype._sendProgress = function (attempt) {
    var fields = attempt.progress;
    attempt.progress = null;
    if (!fields || !this._talks(attempt)) {
      return;
    }
    attempt.progressAt = this._env.now();
    attempt.shown = fields;
    this._send(writeMessage('progress', fields));
    this._changed();
  };

  Worker.prototype._log = function (attempt, line) {
    if (!this._talks(attempt)) {
      return;
    }
    this._send(writeMessage('log', { attempt: attempt.id, line: clip(line, 2000) }));
  };

  // -- what people see

  Worker.prototype._state = function () {
    if (!this._running) {
      return STATE.STOPPED;
    }
    if (this._trouble) {
      return this._trouble;
    }
    if (!this._registered) {
      if (!this._types().length) {
        return STATE.STOPPED;
      }
      if (this._draining) {
        return STATE.MAINTENANCE;
      }
      return this._everConnected || this._failures ? STATE.RECONNECTING : STATE.CONNECTING;
    }
    if (this._draining) {
      return STATE.MAINTENANCE;
    }
    if (this._busy()) {
      return STATE.WORKING;
    }
    return this._identity.record.paused ? STATE.PAUSED : STATE.READY;
  };

  /**
   * A snapshot. Times: `…At` and `since` are ms of the wall clock, `…Ms` are durations.
   * jobs: [{attempt, id, type, number, phase, startedAt, percent, note, cancelled}]
   * error: {code, text, detail, at} or null; retryMs and heardMs: null where there is none.
   */
  Worker.prototype.status = function () {
    var now = this._env.now();
    var today = this._today();
    var unreported = 0;
    var jobs = [];
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.ENDED) {
        unreported += 1;
      } else {
        jobs.push(describeAttempt(attempt));
      }
    });
    if (this._engine && this._engine.isOpen()) {
      this._heardAt = this._engine.heardAt;
    }
    return {
      state: this._state(),
      retryMs: this._retryAt === null ? null : Math.max(0, this._retryAt - now),
      failures: this._failures,
      paused: this._identity.record.paused,
      registered: this._registered,
      name: this._name,
      worker: this._identity.record.worker,
      server: this._options.url || origin(this._env.location),
      types: this._types(),
      since: this._registered ? this._connectedAt : null,
      heardMs: this._heardAt === null ? null : now - this._heardAt,
      jobs: jobs,
      unreported: unreported,
      done: today.done,
      failed: today.failed,
      error: this._error,
      events: this._events.slice(),
      version: VERSION,
      page: this._describe()
    };
  };

  function describeAttempt(attempt) {
    var shown = attempt.shown || {};
    return {
      attempt: attempt.id,
      id: attempt.message.id,
      type: attempt.type,
      number: attempt.message.number,
      phase: attempt.phase,
      startedAt: attempt.startedDate,
      percent: shown.percent === undefined ? null : shown.percent,
      note: shown.note === undefined ? null : shown.note,
      cancelled: attempt.cancelled !== null
    };
  }

  /** Old document modes have no location.origin. */
  function origin(location) {
    return location.host ? location.protocol + '//' + location.host : '';
  }

  // ---- the one global --------------------------------------------------------------------------

  var Pagehand = {
    version: VERSION,
    protocol: PROTOCOL,
    STATE: STATE,
    CODES: CODES,
    Worker: Worker,
    Engine: Engine,
    task: task,
    fatal: fatal,
    readMessage: readMessage,
    utf8Length: utf8Length,
    start: function (options) { return new Worker(options).start(); }
  };

  root.Pagehand = Pagehand;
}(typeof window === 'undefined' ? this : window));
