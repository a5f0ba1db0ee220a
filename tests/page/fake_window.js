/**
 * A browser without a browser: clock, requests, storages and window events that a Python test plays.
 * ES5. `fakeWindow.env(config)` makes what worker.js takes as options.env; Python reads and answers
 * through the other functions. Storages and window.name outlive a page load, as in a browser.
 */
var fakeWindow = (function () {
  'use strict';

  var now = 0;
  var dateOffset = Date.UTC(2026, 10, 23, 12, 0, 0);
  var timers = [];
  var lastTimer = 0;
  var requests = [];
  var lastRequest = 0;
  var sockets = [];
  var lastSocket = 0;
  var slowLine = false;
  var hooks = {};
  var world = { session: {}, local: {}, frame: { name: '' } };
  var address = { href: '', protocol: 'http:', host: 'site.test', pathname: '/worker', search: '', hash: '' };
  var reloads = 0;
  var randoms = [];
  var seed = 1;
  var logged = [];

  /**
   * A text, or an element {tag, text, data, drawn, inside} of what the page shows; null: no body. One that is
   * drawn null throws.
   */
  function shown(what) {
    var inside;
    if (typeof what === 'string') { return shown({ text: what, inside: [] }); }
    if (!what) { return what; }
    inside = (what.inside || []).map(function (one) {
      return typeof one === 'string' ? { nodeType: 3, nodeValue: one } : shown(one);
    });
    return {
      nodeType: 1, nodeName: what.tag || 'DIV', innerText: what.text, childNodes: inside,
      getAttribute: function (name) { return name === 'data-snapshot' ? what.data || null : null; },
      getClientRects: function () { return what.drawn === null ? null : what.drawn === false ? [] : [{}]; },
      querySelector: function (selector) {
        return inside.filter(function (one) {
          return one.nodeType === 1 && (one.getAttribute('data-snapshot') === 'no' || one.querySelector(selector));
        })[0] || null;
      }
    };
  }

  function setTimer(fn, ms) {
    lastTimer += 1;
    timers.push({ id: lastTimer, at: now + Math.max(0, ms || 0), fn: fn });
    return lastTimer;
  }

  function clearTimer(id) {
    timers = timers.filter(function (timer) { return timer.id !== id; });
  }

  function nextTimer(until) {
    var found = null;
    timers.forEach(function (timer) {
      if (timer.at <= until && (found === null || timer.at < found.at ||
          (timer.at === found.at && timer.id < found.id))) {
        found = timer;
      }
    });
    return found;
  }

  function advance(ms) {
    var until = now + ms;
    var timer = nextTimer(until);
    while (timer) {
      now = Math.max(now, timer.at);
      clearTimer(timer.id);
      timer.fn();
      timer = nextTimer(until);
    }
    now = until;
  }

  /** As strict as IE 11: attributes and headers only after open(), and nothing synchronous. */
  function FakeRequest(config) {
    var self = this;
    this.readyState = 0;
    this.onreadystatechange = null;
    this._config = config;
    ['timeout', 'withCredentials', 'responseType'].forEach(function (name) {
      Object.defineProperty(self, name, {
        set: function (value) {
          if (self.readyState === 0) { throw new Error('InvalidStateError'); }
          self['_' + name] = value;
        }
      });
    });
  }

  FakeRequest.prototype.open = function (method, url, async) {
    if (async !== true) { throw new Error('synchronous request'); }
    if (this._config.openThrows) { throw new Error('Access is denied.'); }
    this.readyState = 1;
    this.method = method;
    this.url = url;
    this.headers = {};
  };

  FakeRequest.prototype.setRequestHeader = function (name, value) {
    if (this.readyState !== 1) { throw new Error('InvalidStateError'); }
    this.headers[name] = value;
  };

  FakeRequest.prototype.send = function (body) {
    lastRequest += 1;
    this.id = lastRequest;
    this.body = body;
    this.sentAt = now;
    this.stored = JSON.stringify(world.session);  // as it was when the request went out
    requests.push(this);
  };

  FakeRequest.prototype.abort = function () {
    var known = requests.indexOf(this) >= 0;
    requests = requests.filter(function (request) { return request !== this; }, this);
    if (known) {
      this.readyState = 4;
      this.status = 0;
      if (this.onreadystatechange) { this.onreadystatechange(); }  // as IE does
    }
  };

  FakeRequest.prototype.getResponseHeader = function (name) {
    if (this.readThrows) { throw new Error('c00c023f'); }
    return name === 'Content-Type' ? this.type : null;
  };

  function answer(id, status, body, type, readThrows) {
    var request = requests.filter(function (item) { return item.id === id; })[0];
    requests = requests.filter(function (item) { return item !== request; });
    request.readyState = 4;
    request.readThrows = readThrows;
    request.type = type;
    request.responseText = body;
    if (readThrows) {
      Object.defineProperty(request, 'status', { get: function () { throw new Error('c00c023f'); } });
    } else {
      request.status = status;
    }
    if (request.onreadystatechange) { request.onreadystatechange(); }
  }

  /** As strict as a browser's: nothing can be sent before it is open, and what comes after is lost. */
  function FakeSocket(config, url, protocol) {
    if (config.socketThrows) { throw new Error('Access is denied.'); }
    lastSocket += 1;
    this.id = lastSocket;
    this.url = url;
    this.protocol = protocol;    // asked for
    this.readyState = 0;
    this.bufferedAmount = 0;
    this.frames = [];
    this.closed = false;        // by the page
    this.onopen = this.onmessage = this.onclose = this.onerror = null;
    sockets.push(this);
  }

  FakeSocket.prototype.send = function (text) {
    if (this.readyState === 0) { throw new Error('InvalidStateError'); }
    if (this.readyState > 1) { return; }
    this.frames.push(text);
    if (slowLine) { this.bufferedAmount += text.length; }
  };

  FakeSocket.prototype.close = function () {
    this.closed = true;
    this.readyState = Math.max(this.readyState, 2);
  };

  function call(handler, event) {
    if (handler) { handler(event); }
  }

  /** Does something to a socket as its browser does: open, frame, close, closing, drain. */
  function socketDo(id, what, value, words) {
    var socket = sockets.filter(function (item) { return item.id === id; })[0];
    if (what === 'open') {
      socket.readyState = 1;
      call(socket.onopen, {});
    } else if (what === 'frame') {
      call(socket.onmessage, { data: value });
    } else if (what === 'closing') {
      socket.readyState = 2;
    } else if (what === 'drain') {
      socket.bufferedAmount = value;
    } else {
      socket.readyState = 3;
      call(socket.onerror, {});
      call(socket.onclose, { code: value, reason: words });
    }
  }

  function FakeStorage(data, room) {
    Object.defineProperty(this, 'length', { get: function () { return Object.keys(data).length; } });
    this.key = function (i) { return Object.keys(data)[i]; };
    this.getItem = function (key) { return data.hasOwnProperty(key) ? data[key] : null; };
    this.setItem = function (key, value) {
      if (String(value).length > room) { throw new Error('QuotaExceededError'); }
      data[key] = String(value);
    };
    this.removeItem = function (key) { delete data[key]; };
  }

  function random() {
    if (randoms.length) { return randoms.shift(); }
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  }

  return {
    /** config: blockSession, blockLocal, sessionRoom, openThrows, noBytes, documentMode, noSocket, socketThrows. */
    env: function (config) {
      return {
        xhr: function () { return new FakeRequest(config); },
        socket: config.noSocket ? null : function (url, protocol) { return new FakeSocket(config, url, protocol); },
        setTimeout: setTimer,
        clearTimeout: clearTimer,
        now: function () { return now; },
        date: function () { return dateOffset + now; },
        random: random,
        bytes: function (count) {
          var bytes = [];
          var i;
          if (config.noBytes) { return null; }
          for (i = 0; i < count; i += 1) { bytes.push(Math.floor(random() * 256)); }
          return bytes;
        },
        session: config.blockSession ? null : new FakeStorage(world.session, config.sessionRoom || 5e6),
        local: config.blockLocal ? null : new FakeStorage(world.local, 5e6),
        frame: world.frame,
        location: {
          protocol: address.protocol, host: address.host, pathname: address.pathname,
          search: address.search, hash: address.hash, reload: function () { reloads += 1; }
        },
        history: { replaceState: function (state, title, url) { address.href = url; } },
        on: function (name, fn) { hooks[name] = (hooks[name] || []).concat([fn]); },
        off: function (name, fn) {
          hooks[name] = (hooks[name] || []).filter(function (item) { return item !== fn; });
        },
        document: { documentMode: config.documentMode, body: shown(config.shows) },
        userAgent: 'Fake/1.0',
        log: function (text) { logged.push(text); }
      };
    },
    advance: advance,
    /** The clock goes on and no timer fires: a page that its own work or its host holds. */
    freeze: function (ms) { now += ms; },
    stepDate: function (ms) { dateOffset += ms; },
    requests: function () {
      return JSON.stringify(requests.map(function (request) {
        return {
          id: request.id, method: request.method, url: request.url, body: request.body,
          headers: request.headers, sent_at: request.sentAt, stored: request.stored,
          credentials: request._withCredentials === true
        };
      }));
    },
    answer: answer,
    sockets: function () {
      return JSON.stringify(sockets.map(function (socket) {
        return {
          id: socket.id, url: socket.url, protocol: socket.protocol, frames: socket.frames, closed: socket.closed, state: socket.readyState
        };
      }));
    },
    socketDo: socketDo,
    /** From now on sockets keep what they are given until it is drained. */
    slowLine: function () { slowLine = true; },
    fire: function (name, event) { (hooks[name] || []).forEach(function (fn) { fn(event || {}); }); },
    hooked: function (name) { return (hooks[name] || []).length; },
    /** The page's memory goes, its storages stay. */
    unload: function () { timers = []; requests = []; sockets = []; hooks = {}; },
    /** Another window: a sessionStorage and a name of its own. */
    otherWindow: function () { world = { session: {}, local: world.local, frame: { name: '' } }; },
    address: function (search, hash) { address.search = search; address.hash = hash; },
    standAt: function (protocol, host) { address.protocol = protocol; address.host = host; },
    shownAddress: function () { return address.href; },
    reloads: function () { return reloads; },
    plan: function (values) { randoms = JSON.parse(values); },
    world: function () { return JSON.stringify(world); },
    setName: function (name) { world.frame.name = name; },
    now: function () { return now; }
  };
}());
