/** Keeps what outlives a page load: a shelf of texts, and the worker's identity. */
(function (parts) {
  'use strict';

  var Object = parts.Object;
  var String = parts.String;
  var classOf = parts.classOf;
  var each = parts.each;
  var find = parts.find;
  var isObject = parts.isObject;
  var noop = parts.noop;
  var own = parts.own;
  var parseObject = parts.parseObject;
  var push = parts.push;
  var slice = parts.slice;
  var toJson = parts.toJson;
  var walk = parts.walk;

  var NAME_PREFIX = 'pagehand:';
  var NAME_LIMIT = 262144;

  var PAST_TEXTS = ['attempt', 'id', 'type', 'summary', 'outcome', 'code'];

  var CLAIM_MS = 5000;
  var CLAIM_STALE_MS = 15000;

  /**
   * Strings by key that survive a reload: in sessionStorage, else in window.name (if nothing else
   * uses it), else only in memory (`persistent` is then false).
   */
  function Shelf(env, prefix) {
    this._prefix = prefix + '.';
    this._frame = env.frame;
    this._store = this._works(env.session) ? env.session : null;
    this._map = this._store ? null : this._readName();
    this.persistent = !!(this._store || this._map);
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
      return find(name, NAME_PREFIX) === 0 ? parseObject(slice(name, NAME_PREFIX.length)) : null;
    } catch (e) {
      return null;
    }
  };

  Shelf.prototype._writeName = function () {
    var text;
    if (!this.persistent) {
      return false;
    }
    text = NAME_PREFIX + toJson(this._map);
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

  /** Returns false if it was not kept (no room). */
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
      noop();  // the storage was taken away meanwhile: there is nothing to remove
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
        if (find(name, wanted) === 0) {
          push(found, slice(name, wanted.length));
        }
      });
      return found;
    }
    try {
      for (i = 0; typeof (key = this._store.key(i)) === 'string'; i += 1) {
        if (find(key, wanted) === 0) {
          push(found, slice(key, wanted.length));
        }
      }
    } catch (e) {
      return [];
    }
    return found;
  };

  /**
   * The worker's identity, and what belongs to it: {worker, secret, credential, name, paused, told,
   * ended, today, past, doubts}. ended: which operator's pause the person has ended; see
   * pausing.js. past: the last jobs; see past.js.
   * doubts: by attempt, what the person may be asked; see doubts.js. Every window keeps its own in
   * the shelf; the first window also claims the record in localStorage, so that it is the same
   * worker after the browser was closed. A fresh claim belongs to a living window: others leave it
   * alone.
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
    var record = parseObject(this._shelf.get('worker'));
    if (!record) {
      record = this._readClaim();
      record = record && this._isStale(record) ? record : Object.create(null);
    }
    return {
      worker: typeof record.worker === 'string' ? record.worker : null,
      secret: typeof record.secret === 'string' ? record.secret : null,
      credential: typeof record.credential === 'string' ? record.credential : null,
      name: typeof record.name === 'string' ? record.name : '',
      paused: record.paused === true,
      told: record.told === true,
      ended: typeof record.ended === 'number' ? record.ended : null,
      today: isObject(record.today) ? record.today : {},
      past: pastOf(record.past),
      doubts: doubtsOf(record.doubts)
    };
  };

  /** The jobs that are as they were written. */
  function pastOf(kept) {
    var past = [];
    walk(classOf(kept) === '[object Array]' ? kept : [], function (job) {
      var is = isObject(job) && typeof own(job, 'at') === 'number';
      walk(PAST_TEXTS, function (name) { is = is && typeof own(job, name) === 'string'; });
      if (is) {
        push(past, job);
      }
    });
    return past;
  }

  /** Those that are as they were written. */
  function doubtsOf(kept) {
    var doubts = Object.create(null);
    each(isObject(kept) ? kept : {}, function (note, id) {
      var happened = isObject(note) ? note.happened : undefined;
      if (isObject(note) && typeof note.job === 'string' && typeof note.question === 'string' &&
          (happened === null || typeof happened === 'boolean')) {
        doubts[id] = { job: note.job, question: note.question, happened: happened };
      }
    });
    return doubts;
  }

  Identity.prototype._readClaim = function () {
    var record;
    try {
      record = parseObject(this._local.getItem(this._key));
    } catch (e) {
      return null;
    }
    return record && record.worker ? record : null;
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
      this._local.setItem(this._key, toJson(claim));
    } catch (e) {
      noop();  // no localStorage: the worker lives as long as its window
    }
  };

  /** Write to the shelf only; the claim follows within seconds. */
  Identity.prototype.keep = function () {
    this._shelf.set('worker', toJson(this.record));
  };

  Identity.prototype.save = function () {
    this.keep();
    this._claimedAt = -Infinity;
    this.claim();
  };

  /** Called every second: refreshes the claim, or takes over one that nobody refreshes. */
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

  /** The name of another window of this browser that is a worker, too; null: there is none. */
  Identity.prototype.other = function () {
    var claim = this.record.worker ? this._readClaim() : null;
    return claim && claim.worker !== this.record.worker && !this._isStale(claim) ?
      String(claim.name || '') : null;
  };

  /** The window closes or reloads: the next one may take the identity at once. */
  Identity.prototype.letGo = function () {
    var claim = this._readClaim();
    if (claim && claim.worker === this.record.worker) {
      this._writeClaim(0);
    }
    this._claimedAt = -Infinity;
  };

  parts.Identity = Identity;
  parts.Shelf = Shelf;
}(parts));
