/**
 * The browser of a task in a test: a clock, timers and requests that Python plays. ES5.
 *
 * Python tells it one thing at a time, `control(text)`, with the time at which that happens. It answers with what the
 * page wants: requests, timers, lines for the console. What the worker's script uses, and what the tasks use, is apart:
 * the worker speaks with the server, a task's XMLHttpRequest with what the test has scripted.
 */
(function (root) {
  'use strict';

  var RealDate = root.Date;
  var parse = root.JSON.parse;
  var write = root.JSON.stringify;
  var text = root.String;
  var slice = root.Array.prototype.slice;
  var bind = root.Function.prototype.bind;
  var now = 0;                // ms that never go back
  var date = 0;               // ms of the wall clock
  var wanted = [];            // what Python shall do
  var timers = {};
  var requests = {};
  var last = 0;
  var hooks = {};
  var entropy = [];
  var worker = null;

  function want(what, fields) {
    fields.want = what;
    wanted.push(fields);
  }

  function fire(name, event) {
    (hooks[name] || []).forEach(function (fn) { fn(event); });
  }

  /** A task's callback: what it throws, nobody catches. */
  function guarded(fn, self, given) {
    try {
      fn.apply(self, given);
    } catch (e) {
      fire('error', { message: 'Uncaught ' + text(e), error: e, filename: '', lineno: 0 });
    }
  }

  // Timers.

  function setTimer(fn, ms, task, every) {
    last += 1;
    ms = Math.max(every ? 1 : 0, +ms || 0);
    timers[last] = { fn: fn, task: task, every: every, ms: ms };
    want('timer', { id: last, ms: ms, task: task });
    return last;
  }

  function clearTimer(id) {
    if (timers[id]) {
      delete timers[id];
      want('clear', { id: id });
    }
  }

  function ring(id) {
    var timer = timers[id];
    if (!timer) { return; }
    if (timer.every) {
      want('timer', { id: id, ms: timer.ms, task: true });
    } else {
      delete timers[id];
    }
    if (timer.task) {
      guarded(timer.fn, root, []);
    } else {
      timer.fn();
    }
  }

  function taskTimer(every) {
    return function (fn, ms) {
      var given = slice.call(arguments, 2);
      var called = typeof fn === 'function' ? fn : new Function(text(fn));
      return setTimer(function () { called.apply(root, given); }, ms, true, every);
    };
  }

  // Requests: as much of XMLHttpRequest as works in IE 11.

  function Request(task) {
    this.readyState = 0;
    this.status = 0;
    this.statusText = this.responseText = this.responseType = '';
    this.response = '';
    this.timeout = 0;
    this.withCredentials = false;
    this.onreadystatechange = this.onload = this.onerror = this.ontimeout = this.onabort = this.onloadend = null;
    this._task = task;
    this._heard = {};
    this._type = '';
  }

  Request.prototype.open = function (method, url, async) {
    if (async === false) { throw new Error('InvalidAccessError: a task must not wait for a synchronous request'); }
    this._method = text(method).toUpperCase();
    this._url = text(url);
    this._headers = {};
    this.readyState = 1;
  };

  Request.prototype.setRequestHeader = function (name, value) {
    if (this.readyState !== 1) { throw new Error('InvalidStateError'); }
    this._headers[name] = text(value);
  };

  Request.prototype.send = function (body) {
    if (this.readyState !== 1) { throw new Error('InvalidStateError'); }
    last += 1;
    this._id = last;
    requests[last] = this;
    want('request', {
      id: last, task: this._task, method: this._method, url: this._url, headers: this._headers,
      body: body === undefined || body === null ? null : text(body)
    });
  };

  Request.prototype.abort = function () {
    if (requests[this._id]) {
      delete requests[this._id];
      want('abort', { id: this._id });
      this._end(['abort', 'loadend']);
    }
  };

  Request.prototype.getResponseHeader = function (name) {
    return text(name).toLowerCase() === 'content-type' && this._type ? this._type : null;
  };

  Request.prototype.getAllResponseHeaders = function () {
    return this._type ? 'content-type: ' + this._type + '\r\n' : '';
  };

  Request.prototype.addEventListener = function (name, fn) {
    (this._heard[name] = this._heard[name] || []).push(fn);
  };

  Request.prototype._end = function (names) {
    var self = this;
    this.readyState = 4;
    ['readystatechange'].concat(names).forEach(function (name) {
      var event = { type: name, target: self, currentTarget: self };
      [self['on' + name]].concat(self._heard[name] || []).forEach(function (fn) {
        if (!fn) { return; }
        if (self._task) {
          guarded(fn, self, [event]);
        } else {
          fn.call(self, event);
        }
      });
    });
  };

  /** The answer has come; status 0: there is none. */
  function answer(given) {
    var request = requests[given.id];
    if (!request) { return; }
    delete requests[given.id];
    request.status = given.status;
    request.responseText = given.body;
    request.response = given.body;
    request._type = given.type;
    if (request.responseType === 'json') {
      try { request.response = parse(given.body); } catch (e) { request.response = null; }
    }
    request._end(given.status ? ['load', 'loadend'] : ['error', 'loadend']);
  }

  // The task's clock.

  function FakeDate() {
    if (!(this instanceof FakeDate)) { return new RealDate(date).toString(); }
    if (!arguments.length) { return new RealDate(date); }
    return new (bind.apply(RealDate, [null].concat(slice.call(arguments))))();
  }

  FakeDate.prototype = RealDate.prototype;
  FakeDate.prototype.constructor = FakeDate;
  FakeDate.now = function () { return Math.floor(date); };
  FakeDate.UTC = RealDate.UTC;
  FakeDate.parse = RealDate.parse;

  function say() {
    want('console', { line: slice.call(arguments).map(function (item) {
      return typeof item === 'object' ? write(item) : text(item);
    }).join(' ') });
  }

  /** What the worker's script takes for its browser; see static/worker/environment.js. */
  function env() {
    return {
      xhr: function () { return new Request(false); },
      socket: null,
      setTimeout: function (fn, ms) { return setTimer(fn, ms, false, false); },
      clearTimeout: clearTimer,
      now: function () { return now; },
      date: function () { return date; },
      bytes: function (count) { return entropy.length < count ? null : entropy.splice(0, count); },
      session: null,
      local: null,
      frame: { name: '' },
      location: {
        protocol: 'http:', host: '', pathname: '/worker', search: '', hash: '',
        reload: function () { want('reload', {}); }
      },
      history: {},
      on: function (name, fn) { hooks[name] = (hooks[name] || []).concat([fn]); },
      off: function (name, fn) {
        hooks[name] = (hooks[name] || []).filter(function (item) { return item !== fn; });
      },
      document: {},
      userAgent: 'pagehand.testing',
      log: function (line) { want('console', { line: 'Pagehand: ' + line }); }
    };
  }

  function start(given) {
    entropy = given.entropy;
    given.options.env = env();
    worker = new root.Pagehand.Worker(given.options);
    worker.on('status', function (status) {
      want('status', { state: status.state, error: status.error ? status.error.code + ': ' + status.error.detail : '' });
    });
    worker.start();
  }

  root.window = root.self = root;
  root.Date = FakeDate;
  root.setTimeout = taskTimer(false);
  root.setInterval = taskTimer(true);
  root.clearTimeout = root.clearInterval = clearTimer;
  root.console = { log: say, info: say, warn: say, error: say, debug: say };
  root.performance = { now: function () { return now; } };
  root.XMLHttpRequest = function () { return new Request(true); };
  delete root.fetch;

  var does = {
    start: start,
    ring: function (given) { ring(given.id); },
    answer: answer,
    names: function () { want('names', { names: root.Pagehand.tasks() }); },
    look: function () { return null; }
  };

  return function (told) {
    var given = parse(told);
    var taken;
    now = given.now;
    date = given.date;
    does[given.what](given);
    taken = write(wanted);
    wanted = [];
    return taken;
  };
}(this))
