/**
 * Tests the way to the server, when a person asks for it. It has requests of its own, at most three
 * at a time, and touches no session: Internet Explorer has six connections to a host, and a page
 * needs two.
 */
(function (parts) {
  'use strict';

  var CODES = parts.CODES;
  var Math = parts.Math;
  var Requests = parts.Requests;
  var clip = parts.clip;
  var copy = parts.copy;
  var each = parts.each;
  var environment = parts.environment;
  var map = parts.map;
  var noop = parts.noop;
  var only = parts.only;
  var own = parts.own;
  var parseObject = parts.parseObject;
  var push = parts.push;
  var read = parts.read;
  var said = parts.said;
  var saidWith = parts.saidWith;
  var walk = parts.walk;

  //: What is tested, in the order in which it is shown.
  var NAMES = ['server', 'sending', 'waiting', 'socket', 'clock', 'storage'];
  var TEST = {
    TESTING: 'testing',
    FINE: 'fine',
    WRONG: 'wrong',
    UNTESTED: 'untested'
  };
  //: Why something was not tested.
  var SKIPPED = {
    SERVER: 'server',        // the server does not answer
    BUSY: 'busy',            // it serves no more tests at the moment
    STOPPED: 'stopped',      // a person has stopped the test
    POLLING: 'polling'       // it takes no WebSockets
  };
  var ANSWER_MS = 15000;
  //: Clocks that differ by less are the same to people.
  var CLOCKS_MS = 30000;
  var KEY = 'pagehand.test';

  /** What an answer is worth: {facts, why, busy, late}. facts: null: it is not the server's. */
  function outcome(status, text, waitedMs) {
    var body = parseObject(text);
    var answer = { facts: null, why: '', busy: false, late: status === -1 };
    if (status === 200 && body) {
      answer.facts = body;
    } else if (status === 200) {
      answer.why = CODES['E-NET-04'] + (said(text) ? ' It says: ' + said(text) : '');
    } else if (status === -2) {
      answer.why = CODES['E-NET-10'] + ' ' + text;
    } else if (status <= 0) {
      answer.why = status ? 'no answer within ' + Math.round(waitedMs / 1000) + ' s' : 'no answer';
    } else {
      answer.why = saidWith(status, text);
      answer.busy = status === 503 && !!body && own(body, 'code') === 'unavailable';
    }
    answer.why = clip(answer.why, 300);
    return answer;
  }

  /**
   * One test.
   * @constructor
   * @param {Object<string, any>} given url, credentials, env: as the options of Pagehand.start
   */
  function ConnectionTest(given) {
    var env = environment(read(given, 'env') || {});
    var self = this;
    this._env = env;
    //: What requests and sockets take for a session: it has none.
    this._session = {
      env: env, sid: null, key: null,
      options: { url: read(given, 'url') || '', credentials: read(given, 'credentials') === true }
    };
    this._flights = [];         // what is under way, each with abort()
    this._hooks = [];
    this._changed = noop;
    this._lines = {};
    walk(NAMES, function (name) { self._lines[name] = { name: name, state: TEST.TESTING }; });
    //: The wall clock when it began.
    this.beganAt = env.date();
  }

  /** `changed()` is called whenever something has been found, and at the end. */
  ConnectionTest.prototype.start = function (changed) {
    var self = this;
    this._changed = changed;
    this._hook('pagehide');
    if (this._env.document.documentMode) {
      this._hook('unload');     // Internet Explorer keeps requests beyond the page's end
    }
    this._testStorage();
    this.ask('wait=0', null, ANSWER_MS, function (answer, ms) { self._heard(answer, ms); });
    return this;
  };

  /** What is not known by now is not tested. */
  ConnectionTest.prototype.stop = function () {
    walk(this._flights, function (flight) { flight.abort(); });
    this._flights = [];
    this.skip(NAMES, SKIPPED.STOPPED);
  };

  ConnectionTest.prototype.isOver = function () {
    return !only(this.lines(), function (line) { return line.state === TEST.TESTING; }).length;
  };

  /**
   * What is known, in the order of NAMES: [{name, state, why, skipped, ...}]. why: words, where
   * something is wrong; skipped: one of SKIPPED, where it was not tested. Besides:
   *   server   ms: how long its answer took
   *   sending  bytes: of the largest body that came through; failed: of the first that did not
   *   waiting  longestS: the longest wait that came through; cutMs: after how long others were cut,
   *            if they were; pollMs: how long this page waits at most
   *   socket   ms: until it was open and had brought an answer
   *   clock    aheadMs: of this PC before the server
   *   storage  session, local: whether each of them keeps something
   */
  ConnectionTest.prototype.lines = function () {
    var lines = this._lines;
    return map(NAMES, function (name) {
      var line = {};
      each(lines[name], function (value, key) { line[key] = value; });
      return line;
    });
  };

  // -- for the trials

  /** One request; done(answer, ms) is called once, unless the test is stopped. */
  ConnectionTest.prototype.ask = function (query, body, timeoutMs, done) {
    var self = this;
    var began = this._env.now();
    var requests = new Requests(this._session, '/engine.io/test?' + query);
    var method = body === null ? 'GET' : 'POST';
    var flight = requests.send(method, body, timeoutMs, function (status, text) {
      self.landed(flight);
      done(outcome(status, text, timeoutMs), Math.round(self._env.now() - began));
    });
    push(this._flights, flight);
  };

  /** `flight` has an end of its own: a stop need not abort it. */
  ConnectionTest.prototype.landed = function (flight) {
    this._flights = only(this._flights, function (other) { return other !== flight; });
  };

  /** Something was found; `state` may still be TESTING. */
  ConnectionTest.prototype.found = function (name, state, facts) {
    var line = this._lines[name];
    line.state = state;
    each(facts, function (value, key) { line[key] = value; });
    this._tell();
  };

  /** Those of the names that are not known yet will not be. */
  ConnectionTest.prototype.skip = function (names, why) {
    var lines = this._lines;
    walk(names, function (name) {
      if (lines[name].state === TEST.TESTING) {
        lines[name].state = TEST.UNTESTED;
        lines[name].skipped = why;
      }
    });
    this._tell();
  };

  // -- the parts

  ConnectionTest.prototype._tell = function () {
    var env = this._env;
    if (this.isOver()) {
      walk(copy(this._hooks), function (hook) { env.off(hook[0], hook[1]); });
      this._hooks = [];
    }
    this._changed();
  };

  ConnectionTest.prototype._hook = function (name) {
    var self = this;
    var hook = [name, function () { self.stop(); }];
    push(this._hooks, hook);
    this._env.on(hook[0], hook[1]);
  };

  ConnectionTest.prototype._heard = function (answer, ms) {
    var facts = answer.facts;
    if (answer.busy) {
      this.found('server', TEST.FINE, { ms: ms });
      this.skip(NAMES, SKIPPED.BUSY);
    } else if (!facts || typeof own(facts, 'now_ms') !== 'number') {
      this.found('server', TEST.WRONG, { why: answer.why || CODES['E-NET-04'] });
      this.skip(NAMES, SKIPPED.SERVER);
    } else {
      this.found('server', TEST.FINE, { ms: ms });
      this._compareClocks(facts.now_ms, ms);
      this.tryWaits(facts.poll_ms);
      this.trySizes(facts.post_limit, facts.websocket);
    }
  };

  /** The server has looked at its clock somewhere between question and answer. */
  ConnectionTest.prototype._compareClocks = function (serverMs, tookMs) {
    var aheadMs = Math.round(this._env.date() - tookMs / 2 - serverMs);
    var same = Math.max(aheadMs, -aheadMs) <= CLOCKS_MS + tookMs;
    this.found('clock', same ? TEST.FINE : TEST.WRONG, { aheadMs: aheadMs });
  };

  ConnectionTest.prototype._testStorage = function () {
    var session = keeps(this._env.session);
    var local = keeps(this._env.local);
    this.found('storage', session && local ? TEST.FINE : TEST.WRONG,
      { session: session, local: local });
  };

  function keeps(store) {
    var kept = null;
    try {
      store.setItem(KEY, 'kept');
      kept = store.getItem(KEY);
      store.removeItem(KEY);
    } catch (e) {
      return false;  // switched off, or full
    }
    return kept === 'kept';
  }

  parts.ANSWER_MS = ANSWER_MS;
  parts.ConnectionTest = ConnectionTest;
  parts.SKIPPED = SKIPPED;
  parts.TEST = TEST;
}(parts));
