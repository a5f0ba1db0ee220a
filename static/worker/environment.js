/** The browser, captured once: a task may put something else in its place. */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var each = parts.each;
  var free = parts.free;
  var own = parts.own;
  var walk = parts.walk;

  /** @type {any} */
  var win = parts.root;
  var clock = win.performance && win.performance.now ? win.performance : null;
  var clockNow = clock ? free(clock.now) : null;
  var NewDate = win.Date;
  var instant = free(NewDate.prototype.getTime);
  var random = win.crypto || win.msCrypto;  // ie11-ok: crypto
  var getRandom = random ? free(random.getRandomValues) : null;
  var Xhr = win.XMLHttpRequest;
  var NewSocket = win.WebSocket;
  var Bytes = win.Uint8Array;
  var setTimer = win.setTimeout ? free(win.setTimeout) : null;
  var clearTimer = win.clearTimeout ? free(win.clearTimeout) : null;
  var addListener = win.addEventListener ? free(win.addEventListener) : null;
  var removeListener = win.removeEventListener ? free(win.removeEventListener) : null;
  var XHR_METHODS = methods(Xhr,
    ['open', 'send', 'abort', 'setRequestHeader', 'getResponseHeader']);
  var SOCKET_METHODS = methods(NewSocket, ['send', 'close']);
  var SHELF = methods(win.Storage, ['getItem', 'setItem', 'removeItem', 'key']);

  /** What the prototype of a class has now. */
  function methods(type, names) {
    var found = {};
    walk(names, function (name) {
      found[name] = type && type.prototype ? type.prototype[name] : undefined;
    });
    return found;
  }

  /** Its methods stay what they were. */
  function pinned(made, known) {
    each(known, function (method, name) {
      if (typeof method === 'function') {
        made[name] = method;
      }
    });
    return made;
  }

  function request() {
    return pinned(new Xhr(), XHR_METHODS);
  }

  function socket(url, protocol) {
    return pinned(protocol ? new NewSocket(url, protocol) : new NewSocket(url), SOCKET_METHODS);
  }

  /** A storage, by the methods that it had when this script came. */
  function kept(store) {
    var made = {};
    each(SHELF, function (method, name) {
      var read = typeof method === 'function' ? free(method) : null;
      made[name] = function (key, value) {
        return read ? read(store, key, value) : store[name](key, value);
      };
    });
    return made;
  }

  function storage(name) {
    try {
      return win[name] ? kept(win[name]) : null;
    } catch (e) {
      return null;  // storage that is switched off throws on any access
    }
  }

  function randomBytes(count) {
    try {
      return getRandom(random, new Bytes(count));
    } catch (e) {
      return null;
    }
  }

  function listen(name, fn) {
    if (addListener) {
      addListener(win, name, fn, false);
    }
  }

  function unlisten(name, fn) {
    if (removeListener) {
      removeListener(win, name, fn, false);
    }
  }

  /**
   * Everything that the worker takes from its surroundings. Tests pass their own:
   *   xhr() a new XMLHttpRequest · socket(url, protocol) a new WebSocket, or null ·
   *   setTimeout, clearTimeout · now() ms that never go back ·
   *   date() ms of the wall clock · random() 0 to 1 · bytes(n) random bytes or null ·
   *   session, local: storages or null · frame {name} · location · history ·
   *   on(name, fn), off(name, fn): window events · document {documentMode} · userAgent ·
   *   log(text)
   * @param {Object<string, any>} given
   * @returns {any}
   */
  function environment(given) {
    var env = {
      xhr: request,
      socket: NewSocket ? socket : null,
      setTimeout: function (fn, ms) { return setTimer(win, fn, ms); },
      clearTimeout: function (id) { clearTimer(win, id); },
      now: function () { return clockNow ? clockNow(clock) : instant(new NewDate()); },
      date: function () { return instant(new NewDate()); },
      random: Math.random,
      bytes: randomBytes,
      session: own(given, 'session') === undefined ? storage('sessionStorage') : null,
      local: own(given, 'local') === undefined ? storage('localStorage') : null,
      frame: win,
      location: win.location || {},
      history: win.history || {},
      on: listen,
      off: unlisten,
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

  parts.environment = environment;
}(parts));
