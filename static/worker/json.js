/**
 * Values as JSON, by the standard but for one rule: what somebody has put on a prototype of the
 * language (Array.prototype, String.prototype, Date.prototype, Object.prototype ...) has no say. A
 * toJSON of the value's own, or of its own class, is called; a date is its UTC instant.
 */
(function (parts) {
  'use strict';

  var Error = parts.Error;
  var Object = parts.Object;
  var call1 = parts.call1;
  var codeAt = parts.codeAt;
  var digits = parts.digits;
  var exec = parts.exec;
  var free = parts.free;
  var functionText = parts.functionText;
  var has = parts.has;
  var holds = parts.holds;
  var isArray = parts.isArray;
  var isNative = parts.isNative;
  var join = parts.join;
  var keys = parts.keys;
  var map = parts.map;
  var push = parts.push;
  var win = parts.root;
  var slice = parts.slice;

  var prototypes = map(
    ['Object', 'Array', 'String', 'Number', 'Boolean', 'Date', 'Function', 'RegExp', 'Error'],
    function (name) { return win[name].prototype; });
  // Not Promise: a task may return one, and the then that all promises share is what counts.
  var LANGUAGE = new RegExp('^\\s*function (Object|Function|Boolean|Number|String|Symbol|BigInt|' +
    'Date|RegExp|(Weak)?(Map|Set)|\\w*Array|\\w*Error)\\(');
  var dates = map(
    ['FullYear', 'Month', 'Date', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'],
    function (name) { return free(win.Date.prototype['getUTC' + name]); });
  var instant = free(win.Date.prototype.getTime);
  /** What a box has inside. */
  var unbox = map(['Boolean', 'Number', 'String'], function (name) {
    return free(win[name].prototype.valueOf);
  });
  var ESCAPES = {
    '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t'
  };

  /** Array.prototype and its like, of this window or of a frame in it. */
  function isOfTheLanguage(object) {
    var maker;
    if (has(prototypes, object)) {
      return true;
    }
    maker = holds(object, 'constructor') ? object.constructor : null;
    return isNative(maker) && maker.prototype === object &&
      exec(LANGUAGE, functionText(maker)) !== null;
  }

  /** Whether an object has a property that is not merely everybody's, from Object.prototype say. */
  function owns(object, key) {
    var at = object;
    while (at !== null && at !== undefined) {
      if (holds(at, key) && !isOfTheLanguage(at)) {
        return true;
      }
      at = Object.getPrototypeOf(at);
    }
    return false;
  }

  /** The value of such a property, and undefined where there is none. */
  function read(object, key) {
    return owns(object, key) ? object[key] : undefined;
  }

  function isPair(text, i) {
    return text[i] < '\udc00' && text[i + 1] >= '\udc00' && text[i + 1] <= '\udfff';
  }

  function escaped(character) {
    var code;
    if (holds(ESCAPES, character)) {
      return ESCAPES[character];
    }
    if (character >= '\ud800') {
      return '\ufffd';  // half a pair: an escape of it is refused by strict parsers
    }
    code = codeAt(character, 0);
    return '\\u00' + (code < 16 ? '0' : '') + digits(code, 16);
  }

  function quote(text) {
    var out = '"';
    var from = 0;
    var i;
    var c;
    for (i = 0; i < text.length; i += 1) {
      c = text[i];
      if (c >= '\ud800' && c <= '\udfff' && isPair(text, i)) {
        i += 1;
      } else if (c < ' ' || c === '"' || c === '\\' || (c >= '\ud800' && c <= '\udfff')) {
        out += slice(text, from, i) + escaped(c);
        from = i + 1;
      }
    }
    return out + slice(text, from, text.length) + '"';
  }

  function padded(number, width) {
    var text = '' + number;
    while (text.length < width) {
      text = '0' + text;
    }
    return text;
  }

  /** As toISOString would, had nobody touched it; null where there is no such instant. */
  function dateText(date) {
    var part;
    var year;
    if (instant(date) !== instant(date)) {
      return null;
    }
    part = map(dates, function (read) { return read(date); });
    year = part[0] < 0 ? '-' + padded(-part[0], 6) :
      (part[0] > 9999 ? '+' + padded(part[0], 6) : padded(part[0], 4));
    return year + '-' + padded(part[1] + 1, 2) + '-' + padded(part[2], 2) + 'T' +
      padded(part[3], 2) + ':' + padded(part[4], 2) + ':' + padded(part[5], 2) + '.' +
      padded(part[6], 3) + 'Z';
  }

  /** Most objects: neither a date nor a box, so that nobody has to ask. */
  function isPlain(object) {
    var maker = Object.getPrototypeOf(object);
    return maker === null || maker === prototypes[0] || isArray(object);
  }

  /**
   * [what a method answers for a value], or null where it throws, as those of dates and boxes do
   * for anything else. What a value calls itself (toString, a tag) may be anybody's word.
   */
  function answer(method, value) {
    try {
      return [method(value)];
    } catch (e) {
      return null;
    }
  }

  function unboxed(value) {
    var inside = null;
    var i;
    for (i = 0; i < unbox.length && inside === null; i += 1) {
      inside = answer(unbox[i], value);
    }
    return inside === null ? value : inside[0];
  }

  /** What is written in a value's place. */
  function converted(value, key) {
    var kind = typeof value;
    var made = value;
    var date = null;
    if (value === null || (kind !== 'object' && kind !== 'function')) {
      return value;
    }
    if (owns(value, 'toJSON')) {
      made = typeof value.toJSON === 'function' ? call1(value.toJSON, value, key) : value;
    } else if (!isPlain(value)) {
      date = answer(dateText, value);
    }
    if (date !== null) {
      return date[0];
    }
    return typeof made !== 'object' || made === null || isPlain(made) ? made : unboxed(made);
  }

  /** `open`: the objects around this one. */
  function write(given, key, open) {
    var value = converted(given, key);
    switch (typeof value) {
      case 'string': return quote(value);
      case 'number': return value - value === 0 ? '' + value : 'null';
      case 'boolean': return value ? 'true' : 'false';
      case 'object': return value === null ? 'null' : writeObject(value, open);
      case 'bigint': throw new Error('a BigInt is no JSON: make it a text');
      default: return undefined;
    }
  }

  function writeObject(object, open) {
    var text;
    if (has(open, object)) {
      throw new Error('it contains itself');
    }
    push(open, object);
    text = isArray(object) ? writeItems(object, open) : writeFields(object, open);
    open.length -= 1;
    return text;
  }

  function writeItems(list, open) {
    var items = [];
    var i;
    var text;
    for (i = 0; i < list.length; i += 1) {
      text = write(list[i], '' + i, open);
      items[i] = text === undefined ? 'null' : text;
    }
    return '[' + join(items, ',') + ']';
  }

  function writeFields(object, open) {
    var fields = [];
    var names = keys(object);
    var i;
    var text;
    for (i = 0; i < names.length; i += 1) {
      text = write(object[names[i]], names[i], open);
      if (text !== undefined) {
        push(fields, quote(names[i]) + ':' + text);
      }
    }
    return '{' + join(fields, ',') + '}';
  }

  /** @param {any} value @returns {string|undefined} undefined for a function and its like */
  function toJson(value) {
    return write(value, '', []);
  }

  parts.owns = owns;
  parts.quote = quote;
  parts.read = read;
  parts.toJson = toJson;
}(parts));
