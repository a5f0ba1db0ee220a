/** The requests of a session, and what their answers say of the server. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var clip = parts.clip;
  var digits = parts.digits;
  var encode = parts.encode;
  var noAnswer = parts.noAnswer;
  var noop = parts.noop;
  var refusal = parts.refusal;
  var said = parts.said;
  var saidWith = parts.saidWith;
  var split = parts.split;

  //: Between the packets of one body.
  var SEPARATOR = '\x1e';
  var LATE_MS = 1000;

  /**
   * Calls `expired` after so many ms. If a task has blocked the page meanwhile, an answer may be
   * waiting behind this timer: then a second later.
   */
  function patience(env, ms, expired) {
    var due = env.now() + ms;
    var timer = null;
    function expire() {
      if (env.now() - due > LATE_MS) {
        due = Infinity;
        timer = env.setTimeout(expire, LATE_MS);
        return;
      }
      expired();
    }
    timer = env.setTimeout(expire, ms);
    return { stop: function () { env.clearTimeout(timer); } };
  }

  /** `path`: of another address than the session's, with a field of its query. */
  function Requests(session, path) {
    this._session = session;
    this._path = path || '/engine.io/?EIO=4&transport=polling';
    this._stamps = 0;
    //: How long the quickest answer has taken.
    this.quickestMs = Infinity;
  }

  Requests.prototype._address = function () {
    var session = this._session;
    var env = session.env;
    var stamp;
    this._stamps += 1;
    // Internet Explorer answers a repeated address from its cache, so no address is used twice.
    stamp = digits(env.date(), 36) + '.' + digits(this._stamps, 36) + '.' +
      digits(Math.floor(env.random() * 0x7fffffff), 36);
    return session.options.url + this._path + '&t=' + stamp +
      (session.sid ? '&sid=' + encode(session.sid) : '');
  };

  /**
   * One XHR; done(status, text, type) is called once. 0: network, -1: too late, -2: the browser
   * forbids it, for what `text` says.
   */
  Requests.prototype.send = function (method, body, timeoutMs, done) {
    var self = this;
    var env = this._session.env;
    var began = env.now();
    var over = false;
    var xhr = null;
    var timer = patience(env, timeoutMs, function () {
      finish(-1, '', '');
      drop(xhr);
    });
    function finish(status, text, type) {
      if (over) {
        return;
      }
      over = true;
      timer.stop();
      if (xhr) {
        xhr.onreadystatechange = noop;
      }
      if (status === 200) {
        self.quickestMs = Math.min(self.quickestMs, env.now() - began);
      }
      done(status, text, type);
    }
    function abort() {
      over = true;
      timer.stop();
      drop(xhr);
    }
    try {
      xhr = env.xhr();
      this._go(xhr, method, body, finish);
    } catch (e) {
      // A host's security zone can make open or send throw. Never answer inside the caller's call.
      timer.stop();
      timer = patience(env, 0, function () { finish(-2, clip(e && e.message, 200), ''); });
    }
    return { abort: abort };
  };

  Requests.prototype._go = function (xhr, method, body, finish) {
    xhr.open(method, this._address(), true);
    if (this._session.options.credentials) {
      xhr.withCredentials = true;  // not before open(), or Internet Explorer throws
    }
    if (body !== null) {
      xhr.setRequestHeader('Content-Type', 'text/plain;charset=UTF-8');
    }
    if (this._session.key) {
      xhr.setRequestHeader('X-Pagehand-Session', this._session.key);
    }
    xhr.onreadystatechange = function () {
      var answer;
      if (xhr.readyState === 4) {
        answer = readAnswer(xhr);
        finish(answer.status, answer.text, answer.type);
      }
    };
    xhr.send(body);
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

  /**
   * Whether an answer comes from the server at all; if not, the session is over. `text`: see
   * `send`.
   */
  Requests.prototype.passed = function (status, text, lateCode, patienceMs) {
    var session = this._session;
    var refused = refusal(status, text);
    if (status === 200) {
      return true;
    }
    if (status === -1) {
      session.fail(lateCode, 'no answer within ' + Math.round(patienceMs / 1000) + ' s');
    } else if (status === -2) {
      session.fail('E-NET-10', text);
    } else if (status === 0) {
      session.fail('E-NET-01', noAnswer(session.options.url, session.env.location));
    } else if (refused) {
      session.fail('E-ORG-01', saidWith(status, text), status, refused);
    } else if (status === 400 && session.sid) {
      session.fail('E-NET-05', saidWith(status, text), status);
    } else {
      session.fail('E-NET-06', saidWith(status, text), status);
    }
    return false;
  };

  /** An answer of something else than the server. */
  Requests.prototype.strange = function (status, text, type) {
    var kind = split(clip(type || 'something', 100), ';')[0];
    var words = said(text);
    this._session.fail('E-NET-04', kind + ' that says' + (words ? ': ' + words : ' nothing'),
      status);
  };

  parts.Requests = Requests;
  parts.SEPARATOR = SEPARATOR;
  parts.patience = patience;
}(parts));
