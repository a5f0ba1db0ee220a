/** What a connection test tries once the server has answered: bodies, waits, a WebSocket. */
(function (parts) {
  'use strict';

  var ANSWER_MS = parts.ANSWER_MS;
  var CODES = parts.CODES;
  var ConnectionTest = parts.ConnectionTest;
  var Line = parts.Line;
  var Math = parts.Math;
  var SKIPPED = parts.SKIPPED;
  var TEST = parts.TEST;
  var own = parts.own;
  var only = parts.only;
  var patience = parts.patience;
  var push = parts.push;
  var slice = parts.slice;
  var walk = parts.walk;

  //: Bytes of bodies; the last one has as many as the server takes.
  var SIZES = [1024, 16384, 65536, 262144, 1048576];
  //: Two after another while the third waits: so all are known after 45 s.
  var LANES_S = [[45], [5, 25]];
  //: An answer may come so much later than it was asked for, or earlier by a clumsy timer.
  var LATE_MS = 10000;
  var EARLY_MS = 1000;
  var SOCKET_MS = 10000;
  //: The close of a session in good order: the server answers Engine.IO's close packet with it.
  var GOOD_ORDER = 1000;
  var CLOSE_PACKET = '1';

  function text(size) {
    var made = 'x';
    while (made.length < size) {
      made += made;
    }
    return slice(made, 0, size);
  }

  // -- bodies

  /** Larger and larger bodies, up to `limit` bytes; then a WebSocket: one connection at a time. */
  ConnectionTest.prototype.trySizes = function (limit, hasSocket) {
    var sizes = only(SIZES, function (size) { return size < limit; });
    push(sizes, limit);
    this._trySize(sizes, 0, hasSocket);
  };

  ConnectionTest.prototype._trySize = function (sizes, index, hasSocket) {
    var self = this;
    var size = sizes[index];
    var timeoutMs = ANSWER_MS + Math.ceil(size / 16384) * 1000;
    this.ask('wait=0', text(size), timeoutMs, function (answer) {
      var arrived = !!answer.facts && own(answer.facts, 'bytes') === size;
      var isLast = index + 1 === sizes.length;
      if (arrived) {
        self.found('sending', isLast ? TEST.FINE : TEST.TESTING, { bytes: size });
      } else if (answer.busy) {
        self.skip(['sending'], SKIPPED.BUSY);
      } else {
        self.found('sending', TEST.WRONG, { failed: size, why: answer.why || CODES['E-NET-04'] });
      }
      if (arrived && !isLast) {
        self._trySize(sizes, index + 1, hasSocket);
      } else {
        self._trySocket(hasSocket);
      }
    });
  };

  // -- waits

  /** Requests that wait for their answer, as a page's polls do for at most `pollMs`. */
  ConnectionTest.prototype.tryWaits = function (pollMs) {
    var self = this;
    /** @type {any} what the lanes have found: cuts, and how many of them go on */
    var waits = { longestS: 0, cuts: [], busy: false, lanes: LANES_S.length, pollMs: pollMs };
    walk(LANES_S, function (lane) { self._tryWait(waits, lane, 0); });
  };

  ConnectionTest.prototype._tryWait = function (waits, lane, index) {
    var self = this;
    var waitMs = lane[index] * 1000;
    this.ask('wait=' + lane[index], null, waitMs + LATE_MS, function (answer, ms) {
      if (answer.facts && ms >= waitMs - EARLY_MS) {
        waits.longestS = Math.max(waits.longestS, lane[index]);
      } else if (answer.busy) {
        waits.busy = true;
      } else {
        push(waits.cuts, { ms: answer.late ? Infinity : ms, why: answer.why || CODES['E-NET-04'] });
      }
      if (index + 1 < lane.length) {
        self.found('waiting', TEST.TESTING, { longestS: waits.longestS });
        self._tryWait(waits, lane, index + 1);
      } else {
        waits.lanes -= 1;
        self._waited(waits);
      }
    });
  };

  ConnectionTest.prototype._waited = function (waits) {
    var facts = { longestS: waits.longestS, pollMs: waits.pollMs, cutMs: null, why: '' };
    var atMs = Infinity;
    if (waits.lanes) {
      this.found('waiting', TEST.TESTING, { longestS: waits.longestS });
    } else if (waits.busy) {
      this.skip(['waiting'], SKIPPED.BUSY);
    } else {
      walk(waits.cuts, function (cut) {
        atMs = Math.min(atMs, cut.ms);
        facts.why = cut.why;
      });
      facts.cutMs = atMs < Infinity ? atMs : null;
      this.found('waiting', !waits.cuts.length || waits.longestS * 1000 >= waits.pollMs ?
        TEST.FINE : TEST.WRONG, facts);
    }
  };

  // -- a WebSocket

  /** A session of its own: the server opens it, hears that the page closes it, and says so. */
  ConnectionTest.prototype._trySocket = function (hasSocket) {
    if (!this._env.socket) {
      this.found('socket', TEST.WRONG, { why: 'this browser has none' });
    } else if (!hasSocket) {
      this.skip(['socket'], SKIPPED.POLLING);
    } else {
      this._openSocket();
    }
  };

  ConnectionTest.prototype._openSocket = function () {
    var self = this;
    var began = this._env.now();
    var line = new Line(this._session);
    var isOpen = false;
    var timer = patience(this._env, SOCKET_MS, function () {
      end('no answer within ' + Math.round(SOCKET_MS / 1000) + ' s');
    });
    var flight = { abort: close };
    function close() {
      timer.stop();
      line.close();
    }
    function end(why) {
      close();
      self.landed(flight);
      self.found('socket', why ? TEST.WRONG : TEST.FINE,
        { why: why, ms: Math.round(self._env.now() - began) });
    }
    push(this._flights, flight);
    line.onframe = function (data) {
      if (!isOpen && data[0] === '0') {
        isOpen = true;
        line.send(CLOSE_PACKET);
      } else {
        end(isOpen && data === CLOSE_PACKET ? '' : CODES['E-NET-04']);
      }
    };
    line.onclose = function (code, words) {
      end(isOpen && code === GOOD_ORDER ? '' : closed(isOpen, code, words));
    };
  };

  function closed(isOpen, code, words) {
    return (isOpen ? 'it opens, but breaks' : code ? 'it is refused' : 'the browser forbids it') +
      ' (' + (words || 'code ' + code) + ')';
  }
}(parts));
