/** Used by all parts: versions, the words for states and troubles, small helpers. */
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
    PAUSED: 'paused',
    RECONNECTING: 'reconnecting',
    NOT_ALLOWED: 'not_allowed',
    OUT_OF_DATE: 'out_of_date',
    MAINTENANCE: 'maintenance',
    STOPPED: 'stopped'
  };

  /** Short codes to read over the telephone, and what they mean. */
  var CODES = {
    'E-NET-01': 'The server cannot be reached.',
    'E-NET-02': 'The server did not answer in time.',
    'E-NET-03': 'The server did not take a message in time.',
    'E-NET-04': 'Something other than the server answered, perhaps a proxy or a login page.',
    'E-NET-05': 'The server no longer knows this connection.',
    'E-NET-06': 'The server answered with an error.',
    'E-NET-07': 'The server closed the connection.',
    'E-NET-08': 'The connection was silent for too long.',
    'E-NET-09': 'The network was away.',
    'E-NET-10': 'This browser does not let the page make requests.',
    'E-NET-11': 'The list of tasks could not be loaded.',
    'E-ORG-01': 'The server refuses this page because of its address.',
    'E-TOK-01': 'The server wants a token that this page does not have.',
    'E-VER-01': 'This page is older or newer than the server.',
    'E-MSG-01': 'The server refused a message of this page.',
    'E-MSG-02': 'The server sent a message that this page does not understand.',
    'E-JOB-01': 'A task failed.',
    'E-JOB-02': 'A result was too large.',
    'E-JOB-03': 'A result could not be written as JSON.',
    'E-JOB-04': 'A task called done more than once.',
    'E-LBL-01': 'A label of this page is wrong and is not sent.',
    'E-JS-01': 'A script on this page failed.',
    'E-TSK-01': 'A task file does not work.',
    'E-TYP-01': 'This page has no tasks.',
    'E-TYP-02': 'The server has no such task.'
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

  parts.CODES = CODES;
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
