/** Used by all parts: versions, the words for states, small helpers. */
(function (parts) {
  'use strict';

  var Error = parts.Error;
  var Math = parts.Math;
  var String = parts.String;
  var digits = parts.digits;
  var free = parts.free;
  var holds = parts.holds;
  var keys = parts.keys;
  var slice = parts.slice;
  var walk = parts.walk;

  /** @const The worker protocol's version: `register` carries it. */
  var PROTOCOL = 1;
  var VERSION = '0.1.0';

  /** The states that a person is shown. */
  var STATE = {
    CONNECTING: 'connecting',
    READY: 'ready',
    WORKING: 'working',
    STUCK: 'stuck',
    PAUSED: 'paused',
    RECONNECTING: 'reconnecting',
    NOT_ALLOWED: 'not_allowed',
    OUT_OF_DATE: 'out_of_date',
    MAINTENANCE: 'maintenance',
    STOPPED: 'stopped'
  };

  var newDate = parts.root.Date;
  var dayOf = free(newDate.prototype.getDate);
  var monthOf = free(newDate.prototype.getMonth);
  var yearOf = free(newDate.prototype.getFullYear);

  // ---- small helpers ---------------------------------------------------------------------------

  function noop() {}

  function own(object, key) {
    return holds(object, key) ? object[key] : undefined;
  }

  function each(object, fn) {
    walk(keys(object), function (key) { fn(object[key], key); });
  }

  function clip(value, length) {
    var text;
    try {
      text = String(value);
    } catch (e) {
      text = 'a value that is not text';
    }
    return text.length > length ? slice(text, 0, length) : text;
  }

  /** How many bytes a string takes in UTF-8; a lone surrogate is sent as U+FFFD. */
  function utf8Length(text) {
    var bytes = 0;
    var i;
    var c;
    for (i = 0; i < text.length; i += 1) {
      c = text[i];
      if (c < '\u0080') {
        bytes += 1;
      } else if (c < '\u0800') {
        bytes += 2;
      } else if (c >= '\ud800' && c < '\udc00' && text[i + 1] >= '\udc00' &&
                 text[i + 1] <= '\udfff') {
        bytes += 4;
        i += 1;
      } else {
        bytes += 3;
      }
    }
    return bytes;
  }

  function isObject(value) {
    return typeof value === 'object' && value !== null;
  }

  /** @param {string} code @param {string} message @returns {any} an Error with a code */
  function codedError(code, message) {
    /** @type {any} */
    var error = new Error(message);
    error.code = code;
    return error;
  }

  /** 128 random bits as hex digits; from the clock and Math.random if there is nothing better. */
  function randomId(env) {
    var bytes = env.bytes(16);
    var text = '';
    var i;
    var value;
    for (i = 0; i < 16; i += 1) {
      value = bytes ? bytes[i] : Math.floor(env.random() * 256);
      text += (value < 16 ? '0' : '') + digits(value, 16);
    }
    return bytes ? text : text + '-' + digits(env.date(), 36);
  }

  /** The local day of an instant, as a key: 2026-11-23. */
  function localDay(ms) {
    var date = new newDate(ms);
    var month = monthOf(date) + 1;
    var day = dayOf(date);
    return yearOf(date) + (month < 10 ? '-0' : '-') + month + (day < 10 ? '-0' : '-') + day;
  }

  parts.PROTOCOL = PROTOCOL;
  parts.STATE = STATE;
  parts.VERSION = VERSION;
  parts.clip = clip;
  parts.codedError = codedError;
  parts.each = each;
  parts.isObject = isObject;
  parts.localDay = localDay;
  parts.noop = noop;
  parts.own = own;
  parts.randomId = randomId;
  parts.utf8Length = utf8Length;
}(parts));
