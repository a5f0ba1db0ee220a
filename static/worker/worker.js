/** A worker: its options and fields, its token, its events, its life on the page. */
(function (parts) {
  'use strict';

  var CODES = parts.CODES;
  var Choice = parts.Choice;
  var Identity = parts.Identity;
  var Math = parts.Math;
  var Object = parts.Object;
  var PHASE = parts.PHASE;
  var Shelf = parts.Shelf;
  var String = parts.String;
  var blame = parts.blame;
  var clip = parts.clip;
  var copy = parts.copy;
  var each = parts.each;
  var environment = parts.environment;
  var errorFields = parts.errorFields;
  var exec = parts.exec;
  var has = parts.has;
  var join = parts.join;
  var keys = parts.keys;
  var lower = parts.lower;
  var map = parts.map;
  var offering = parts.offering;
  var only = parts.only;
  var push = parts.push;
  var randomId = parts.randomId;
  var read = parts.read;
  var readLabels = parts.readLabels;
  var replace = parts.replace;
  var stashed = parts.stashed;
  var take = parts.take;
  var walk = parts.walk;
  var withdraw = parts.withdraw;
  var writeMessage = parts.writeMessage;

  var EVENTS_KEPT = 20;

  var DEFAULTS = {
    url: '',
    types: null,
    name: '',
    slots: 1,
    token: null,
    join: null,
    labels: {},
    versions: {},
    credentials: false,
    transport: 'auto',
    storageKey: 'pagehand',
    backoffMinMs: 1000,
    backoffMaxMs: 30000,
    openTimeoutMs: 15000,
    postTimeoutMs: 15000,
    pollSlackMs: 5000
  };

  /** What was given and is no option, in words: a slip would be passed over in silence. */
  function strangers(given) {
    var names = keys(DEFAULTS);
    var found = only(keys(given), function (name) { return name !== 'env' && !has(names, name); });
    return map(found, function (name) {
      var meant = only(names, function (known) { return lower(known) === lower(name); });
      return clip(name, 100) + (meant.length ? ' (did you mean ' + meant[0] + '?)' :
        ' (there are ' + join(names, ', ') + ')');
    });
  }

  function withDefaults(given) {
    /** @type {any} */
    var options = {};
    each(DEFAULTS, function (value, key) {
      var wanted = read(given, key);
      options[key] = wanted === undefined || wanted === null ? value : wanted;
    });
    options.url = replace(String(options.url), /\/+$/, '');
    options.name = clip(options.name, 100);
    options.credentials = options.credentials === true;
    options.slots = Math.max(1, Math.min(64, Math.floor(options.slots) || 1));
    return options;
  }

  /**
   * @constructor
   * @param {Object<string, any>} [given] the options; see api.js
   */
  function Worker(given) {
    var options = withDefaults(given || {});
    var env = environment((given && read(given, 'env')) || {});
    this._options = options;
    this._env = env;
    this._shelf = new Shelf(env, options.storageKey);
    this._identity = new Identity(this._shelf, env, options.storageKey);
    this._choice = new Choice(options.transport, this._shelf, env);
    options.transport = this._choice.wanted;
    this._findTokens();
    this._boot = randomId(env);
    this._sessions = 0;         // that it has opened: the server may hear of an older one later
    this._loadedAt = env.date();
    this._after = exec(/^[A-Za-z0-9_-]{1,64}$/, this._shelf.get('left') || '');
    this._attempts = {};
    this._settled = [];
    this._doubtful = {};        // {why}: a job that we had is in doubt, by its attempt; or null
    this._askedAt = {};         // when the server was asked that in this session
    this._thanks = null;        // what the person is told of the last answer
    this._outbox = [];
    this._events = [];
    this._listeners = Object.create(null);
    this._hooks = [];
    this._settings = {
      repeat_ms: 5000, result_limit: 1048576, offer_ttl_ms: 0, packet_limit: 0, post_limit: 0
    };
    this._name = options.name;
    this._labels = readLabels(options.labels);
    this._given = null;         // the labels that count, where the server has said them
    this._strangers = strangers(given || {});
    this._engine = null;
    this._trouble = null;       // STATE.NOT_ALLOWED or OUT_OF_DATE, until the server takes us
    this._refusal = null;       // the server's words, where the trouble is the page's address
    this._hold = null;          // {by, reason, leave, since}: an operator keeps us from jobs
    this._noted = null;         // since when the hold is that the events tell of
    this._over = null;          // {of, since, again}: the hold that has ended our work
    this._endedAt = -Infinity;  // when the server was told last that the person ends that
    this._reloadWanted = false; // an operator wants it as soon as there is nothing to do
    this._running = false;
    this._registered = false;
    this._registerAt = -Infinity;
    this._registering = false;
    this._toldTypes = '';
    this._mentioned = {};       // texts about this page for people at the server, by name
    this._whys = {};            // why it could not load tasks, by their names
    this._untold = false;       // whether some of these has not been in a `register`
    this._everConnected = false;
    this._draining = false;
    this._drainedAt = null;     // the wall clock when the server began to stop
    this._away = null;          // {code, at, date}: the server does not have us: why, since when
    this._cuts = [];            // {at, date, ms} of polls that something on the way has cut
    this._offlineAt = null;
    this._failures = 0;
    this._refusals = 0;
    this._retryAt = null;
    this._retryTimer = null;
    this._tickTimer = null;
    this._connectedAt = null;
    this._healthyAt = Infinity;
    this._slowness = parts.nothingSeen();  // what the browser does to this page
    this._heardAt = null;
    this._error = null;
    this._restore();
  }

  /** Results that an earlier load of this page had not seen recorded. */
  Worker.prototype._restore = function () {
    var self = this;
    walk(this._shelf.keys('stash.'), function (id) {
      var text = self._shelf.get('stash.' + id);
      if (text) {
        self._attempts[id] = stashed(id, text);
        self._attempts[id].counted = self._countedAs(id);
      }
    });
  };

  Worker.prototype.on = function (event, fn) {
    var fns = copy(this._listeners[event] || []);
    push(fns, fn);
    this._listeners[event] = fns;
    return this;
  };

  Worker.prototype._emit = function (event, value) {
    var self = this;
    walk(this._listeners[event] || [], function (fn) {
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

  /** at: when it was, if that is not now. */
  Worker.prototype._note = function (text, at) {
    var event = { at: at === undefined ? this._env.date() : at, text: text };
    push(this._events, event);
    if (this._events.length > EVENTS_KEPT) {
      take(this._events, 1);
    }
    this._emit('event', event);
  };

  Worker.prototype._fault = function (code, detail) {
    this._error = {
      code: code,
      text: CODES[code],
      detail: detail || '',
      whose: blame(code),
      at: this._env.date()
    };
    this._note(code + ' ' + CODES[code] + (detail ? ' (' + detail + ')' : ''));
  };

  // -- the life of a worker

  Worker.prototype.start = function () {
    var self = this;
    if (this._running) {
      return this;
    }
    this._running = true;
    this._hold = null;          // if it still stands, the server says so
    this._failures = 0;
    this._sayStuck();
    offering(this);
    walk(this._labels.bad, function (text) { self._fault('E-LBL-01', text); });
    walk(this._strangers, function (text) { self._fault('E-OPT-01', text); });
    if (!this._choice.known) {
      this._fault('E-ADR-01', 'transport is auto, polling or websocket, so auto is taken');
    }
    this._hook();
    this._slowness = parts.nothingSeen();
    this._tick();
    this._connect();
    return this;
  };

  /** Stop until somebody starts it again: running jobs are lost here. */
  Worker.prototype.stop = function () {
    var self = this;
    if (!this._running) {
      return;
    }
    this._running = false;
    withdraw(this);
    walk(this._hooks, function (hook) { self._env.off(hook[0], hook[1]); });
    this._hooks = [];
    this._env.clearTimeout(this._tickTimer);
    this._leave(this._registered ? [writeMessage('bye', {})] : []);
    this._note('stopped');
    this._changed();
  };

  /**
   * Make a new session now, whatever the state of the old one; a worker that has stopped starts.
   * A page that is out of date may load itself anew once more, when the server has said so again.
   */
  Worker.prototype.reconnect = function () {
    this._shelf.remove('outdated');
    if (!this._running) {
      this.start();
      return;
    }
    this._leave([]);
    this._connect();
  };

  Worker.prototype._hook = function () {
    var self = this;
    function hook(name, fn) {
      push(self._hooks, [name, fn]);
      self._env.on(name, fn);
    }
    hook('pagehide', function () { self._hidden(); });
    if (this._env.document.documentMode) {
      hook('unload', function () { self._hidden(); });  // elsewhere it would forbid the page cache
    }
    // Where this does not reach the window, the next tick sees it.
    hook('visibilitychange', function () {
      self._seeHidden(self._env.document.hidden === true, self._env.now());
    });
    hook('pageshow', function () { self._shown(); });
    hook('offline', function () { self._offlineAt = self._env.now(); });
    hook('online', function () { self._online(); });
    hook('error', function (event) { self._scriptFailed(event || {}); });
    hook('unhandledrejection', function (event) {
      self._uncaught('in a promise: ' + clip(errorFields(event.reason).message, 450), event.reason);
    });
  };

  /**
   * Internet Explorer keeps requests beyond the page's end unless they are aborted. Send no `bye`:
   * a reload brings a new boot, which finds in this window the boot that has left it. It tells the
   * server, which then need not ask for that one. If the page lives on, it connects again.
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

  /** The network was away: the connections are gone, whether or not they know. */
  Worker.prototype._online = function () {
    var since = this._offlineAt;
    this._offlineAt = null;
    if (since === null || !this._running) {
      return;
    }
    if (this._engine) {
      this._engine.fail('E-NET-09', 'for ' + Math.round((this._env.now() - since) / 1000) + ' s');
    }
    if (this._retryTimer !== null) {
      this._connect();
    }
  };

  Worker.prototype._scriptFailed = function (event) {
    var place = event.filename ? event.filename + ':' + event.lineno : '';
    if (!event.message) {
      return;  // a file could not be loaded; no script failed
    }
    // Old engines give no error, only its words; of another origin's script they are withheld.
    this._uncaught(clip(event.message, 400) + (place ? ' (' + clip(place, 200) + ')' : ''),
      event.error || { message: event.message, stack: 'at ' + place }, !place && !event.error);
  };

  /**
   * What nobody has caught. While one task runs alone it is taken for that task's, whose callback
   * will not go on: better an error at once than a timeout. An error of unknown origin is not.
   */
  Worker.prototype._uncaught = function (text, error, unknown) {
    var self = this;
    var running = [];
    this._fault('E-JS-01', text);
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.RUNNING) {
        push(running, attempt);
      }
    });
    if (running.length === 1 && !unknown && running[0].task.uncaught !== 'log') {
      this._ended(running[0], true, error);
    } else {
      walk(running, function (attempt) { self._log(attempt, 'uncaught on the page: ' + text); });
    }
    this._changed();
  };

  parts.Worker = Worker;
}(parts));
