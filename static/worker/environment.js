/** The browser, captured once: a task may put something else in its place. */
(function (parts) {
  'use strict';

  var each = parts.each;

  function storage(win, name) {
    try {
      return win[name] || null;
    } catch (e) {
      return null;  // storage that is switched off throws on any access
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
   * Everything that the worker takes from its surroundings. Tests pass their own:
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
    var win = parts.root;
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

  parts.environment = environment;
}(parts));
