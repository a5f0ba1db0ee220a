/** Reading JSON: by the browser's own JSON.parse, or by this where a library has replaced it. */
(function (parts) {
  'use strict';

  var Error = parts.Error;
  var Object = parts.Object;
  var exec = parts.exec;
  var holds = parts.holds;
  var isArray = parts.isArray;
  var isNative = parts.isNative;
  var keys = parts.keys;
  var push = parts.push;
  var win = parts.root;
  var slice = parts.slice;
  var walk = parts.walk;

  var native = win.JSON && win.JSON.parse;
  var define = win.Object.defineProperty;
  var fromCode = win.String.fromCharCode;
  var WORDS = { 'true': true, 'false': false, 'null': null };
  var NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
  var ESCAPED = {
    '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t'
  };

  function bad() {
    return new Error('no JSON');
  }

  function isSpace(c) {
    return c === ' ' || c === '\n' || c === '\r' || c === '\t';
  }

  function endsWord(c) {
    return c === undefined || c === ',' || c === ']' || c === '}' || isSpace(c);
  }

  /** @constructor @param {string} text */
  function Reader(text) {
    this.text = text;
    this.at = 0;
  }

  /** The next character that counts; it is not taken. */
  Reader.prototype.peek = function () {
    while (isSpace(this.text[this.at])) {
      this.at += 1;
    }
    return this.text[this.at];
  };

  Reader.prototype.skip = function (wanted) {
    if (this.peek() !== wanted) {
      throw bad();
    }
    this.at += 1;
  };

  Reader.prototype.value = function () {
    var next = this.peek();
    if (next === '{') {
      return this.object();
    }
    if (next === '[') {
      return this.list();
    }
    return next === '"' ? this.string() : this.word();
  };

  /** Each of a list or an object, which ends with `end`. */
  Reader.prototype.all = function (end, one) {
    this.at += 1;
    if (this.peek() !== end) {
      one();
      while (this.peek() === ',') {
        this.at += 1;
        one();
      }
    }
    this.skip(end);
  };

  Reader.prototype.list = function () {
    var self = this;
    var items = [];
    this.all(']', function () { push(items, self.value()); });
    return items;
  };

  Reader.prototype.object = function () {
    var self = this;
    var object = {};
    this.all('}', function () {
      var key;
      var field = Object.create(null);
      self.peek();
      key = self.string();
      self.skip(':');
      field.value = self.value();
      field.writable = field.enumerable = field.configurable = true;
      define(object, key, field);  // a plain = would set another prototype for __proto__
    });
    return object;
  };

  Reader.prototype.string = function () {
    var out = '';
    var from = this.at + 1;
    var c = this.text[this.at];
    if (c !== '"') {
      throw bad();
    }
    for (;;) {
      this.at += 1;
      c = this.text[this.at];
      if (c === undefined || c < ' ') {
        throw bad();
      }
      if (c === '"' || c === '\\') {
        out += slice(this.text, from, this.at);
        if (c === '"') {
          this.at += 1;
          return out;
        }
        out += this.escape();
        from = this.at + 1;
      }
    }
  };

  /** At a backslash; afterwards at the last character of the escape. */
  Reader.prototype.escape = function () {
    var c = this.text[this.at + 1];
    var hex = slice(this.text, this.at + 2, this.at + 6);
    this.at += 1;
    if (c === 'u' && exec(/^[0-9a-fA-F]{4}$/, hex)) {
      this.at += 4;
      return fromCode(+('0x' + hex));
    }
    if (c === undefined || !holds(ESCAPED, c)) {
      throw bad();
    }
    return ESCAPED[c];
  };

  /** true, false, null or a number. */
  Reader.prototype.word = function () {
    var from = this.at;
    var word;
    while (!endsWord(this.text[this.at])) {
      this.at += 1;
    }
    word = slice(this.text, from, this.at);
    if (holds(WORDS, word)) {
      return WORDS[word];
    }
    if (!exec(NUMBER, word)) {
      throw bad();
    }
    return +word;
  };

  function parse(text) {
    var reader = new Reader(text);
    var value = reader.value();
    if (reader.peek() !== undefined) {
      throw bad();
    }
    return value;
  }

  var parseText = isNative(native) ? native : parse;

  /** @param {string} text @returns {any} undefined: it is no JSON */
  function parseJson(text) {
    try {
      return parseText(text);
    } catch (e) {
      return undefined;
    }
  }

  /**
   * The fields of an object and nothing that everybody inherits; null: the text is none.
   * @param {string|null} text
   * @returns {any}
   */
  function parseObject(text) {
    var value = text ? parseJson(text) : null;
    var fields = Object.create(null);
    if (typeof value !== 'object' || value === null || isArray(value)) {
      return null;
    }
    walk(keys(value), function (key) { fields[key] = value[key]; });
    return fields;
  }

  /** How a field stands in the JSON of an object, which has been read before; the last counts. */
  function fieldText(text, name) {
    var reader = new Reader(text);
    var found = null;
    reader.peek();
    reader.all('}', function () {
      var from;
      var key;
      reader.peek();
      key = reader.string();
      reader.skip(':');
      reader.peek();
      from = reader.at;
      reader.pass();
      found = key === name ? slice(text, from, reader.at) : found;
    });
    return found;
  }

  /** Over a value, without making it. */
  Reader.prototype.pass = function () {
    var depth = 0;
    var c;
    do {
      c = this.peek();
      if (c === '"') {
        this.string();
      } else if (c === '{' || c === '[') {
        depth += 1;
        this.at += 1;
      } else if (c === '}' || c === ']') {
        depth -= 1;
        this.at += 1;
      } else if (c === ',' || c === ':') {
        this.at += 1;
      } else {
        this.word();
      }
    } while (depth > 0);
  };

  parts.fieldText = fieldText;
  parts.parseJson = parseJson;
  parts.parseObject = parseObject;
}(parts));
