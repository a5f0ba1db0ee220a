/** A worker registers: what it tells the server of itself, and what it hears of it. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var PHASE = parts.PHASE;
  var PROTOCOL = parts.PROTOCOL;
  var VERSION = parts.VERSION;
  var Worker = parts.Worker;
  var clip = parts.clip;
  var each = parts.each;
  var has = parts.has;
  var join = parts.join;
  var keys = parts.keys;
  var only = parts.only;
  var push = parts.push;
  var read = parts.read;
  var registry = parts.registry;
  var take = parts.take;
  var toJson = parts.toJson;
  var toldLabels = parts.toldLabels;
  var tasks = parts.tasks;
  var walk = parts.walk;
  var writeMessage = parts.writeMessage;

  var HEALTHY_MS = 10000;
  var DOUBT_URLS = 100;
  var UNLOADED = 100;
  var WHY_LENGTH = 200;

  Worker.prototype._types = function () {
    var wanted = this._options.types;
    return only(tasks(), function (name) { return !wanted || has(wanted, name); });
  };

  /** Why there is nothing to offer: what was asked for, and what there is. */
  Worker.prototype._lacking = function () {
    var wanted = this._options.types;
    return wanted ? 'asked for ' + clip(join(wanted, ', '), 200) + '; there are: ' +
      clip(join(tasks(), ', ') || 'none', 200) : '';
  };

  /**
   * The versions of the tasks that this page offers or could not load, as far as it knows them: one
   * whose file is mended is old, and is told to load anew. undefined: none.
   */
  Worker.prototype._versions = function () {
    var given = this._options.versions;
    var told = {};
    var all = this._types();
    var known;
    each(this._unloaded(), function (why, name) { push(all, name); });
    known = only(all, function (name) { return typeof read(given, name) === 'string'; });
    walk(known, function (name) { told[name] = clip(read(given, name), 100); });
    return known.length ? told : undefined;
  };

  /** Where people look whether jobs in doubt were done; undefined: no task says. */
  Worker.prototype._doubtUrls = function () {
    var told = {};
    var known = only(this._types(), function (name) { return registry[name].doubtUrl; });
    walk(take(known, DOUBT_URLS), function (name) { told[name] = registry[name].doubtUrl; });
    return keys(told).length ? told : undefined;
  };

  /**
   * Tells the server which tasks this page could not load, each with why: in its next `register`,
   * or by another one at once. It may have no other task: then it is connected all the same.
   */
  Worker.prototype.unloaded = function (whys) {
    if (toJson(whys) === toJson(this._whys)) {
      return;
    }
    this._whys = whys;
    this._untold = true;
    if (this._running && !this._engine && keys(this._unloaded()).length) {
      this._typesChanged();
    }
    this._tellMentioned();
  };

  /** What it could not load, but for what it offers all the same: other files may have it. */
  Worker.prototype._unloaded = function () {
    var whys = this._whys;
    var offered = this._types();
    var told = {};
    var names = only(keys(whys), function (name) { return !has(offered, name); });
    walk(take(names, UNLOADED), function (name) { told[name] = clip(whys[name], WHY_LENGTH); });
    return told;
  };

  Worker.prototype._typesChanged = function () {
    if (!this._engine && this._retryTimer === null) {
      this._connect();
    } else if (this._registered && this._toldTypes !== join(this._types(), ',')) {
      this._register();
    }
  };

  Worker.prototype._register = function () {
    var self = this;
    this._registered = false;
    this._registering = true;
    this._registerAt = this._env.now();
    this._toldTypes = join(this._types(), ',');
    this._engine.send(this._registration(), function () {
      self._registering = false;
      self._registerAt = self._env.now();
    });
  };

  Worker.prototype._registration = function () {
    var known = this._identity.record;
    var holding = [];
    var finished = [];
    var unloaded = this._unloaded();
    var now = this._env.now();
    this._untold = false;
    this._toldSlowness();
    each(this._attempts, function (attempt) {
      if (attempt.phase === PHASE.ENDED) {
        push(finished, attempt.id);
      } else {
        push(holding, {
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
      sessions: this._sessions,
      worker: known.worker || undefined,
      secret: known.secret || undefined,
      name: this._options.name,
      slots: this._options.slots,
      token: this._shownToken(),
      join: this._join || undefined,
      holding: holding,
      finished: finished,
      labels: this._labels.sent,
      versions: this._versions(),
      doubt_urls: this._doubtUrls(),
      unloaded: keys(unloaded).length ? unloaded : undefined,
      page: this._describe()
    });
  };

  /**
   * Tells the server a text about this page, for people: in its next `register`, or by another one
   * at once, which moves nothing of what the page holds.
   */
  Worker.prototype.mention = function (name, text) {
    this._mentioned[clip(name, 100)] = clip(text, 500);
    this._untold = true;
    this._tellMentioned();
  };

  Worker.prototype._tellMentioned = function () {
    if (this._registered && this._untold) {
      this._engine.send(this._registration());
    }
  };

  Worker.prototype._describe = function () {
    var how = this._choice.describe(this._engine);
    var facts = {
      document_mode: this._env.document.documentMode || null,
      user_agent: clip(this._env.userAgent, 500),
      library: VERSION,
      storage: this._shelf.persistent,
      transport: how.transport,
      transport_reason: how.reason || undefined
    };
    this._addSlowness(facts);
    each(this._mentioned, function (text, name) { facts[name] = text; });
    return facts;
  };

  Worker.prototype._onRegistered = function (message) {
    var known = this._identity.record;
    var fresh = !this._registered;
    this._registered = true;
    this._everConnected = true;
    this._registering = false;
    this._refusals = 0;
    this._trouble = null;
    this._refusal = null;
    this._draining = false;
    this._hold = null;  // if an operator keeps us from jobs, the server says so next
    this._away = null;
    this._name = message.name;
    this._given = toldLabels(message.labels);
    known.worker = message.worker;
    known.secret = message.secret;
    known.name = message.name;
    this._identity.save();
    this._shelf.remove('outdated');
    this._adopt(message.settings);
    if (this._connectedAt === null) {
      this._connectedAt = this._env.date();
    }
    if (fresh) {
      this._healthyAt = this._env.now() + HEALTHY_MS;
      this._askedAt = {};
      this._sayAgain();
      this._sayPause();
    }
    this._typesChanged();  // a task may have come while we waited
    this._tellMentioned();
    this._changed();
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
}(parts));
