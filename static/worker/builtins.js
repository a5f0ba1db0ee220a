/**
 * The language as it was when this script came. An old library on the page, or a task, may put
 * other things in its place at any time: before this script (Prototype.js has an
 * Array.prototype.toJSON and an Object.keys of its own), after it, or between two jobs. So nothing
 * is looked up twice, and what libraries like to replace is written out here.
 */
(function (parts) {
  'use strict';

  var win = parts.root;
  var call = win.Function.prototype.call;
  var bind = win.Function.prototype.bind;
  var NATIVE = /\{\s*\[native code\]\s*\}\s*$/;
  var bindIsNative = bind !== undefined && NATIVE.test(win.Function.prototype.toString.call(bind));

  /** A method as a function of its object: free(''.slice)('abc', 1) is 'bc' for ever. */
  function free(method) {
    return bindIsNative ? bind.call(call, method) :
      function (self, a, b, c) { return call.call(method, self, a, b, c); };
  }

  var Error = win.Error;
  var Number = win.Number;
  var String = win.String;
  var Object = {
    create: win.Object.create || function () { return {}; },  // a mode that is told to be too old
    getPrototypeOf: win.Object.getPrototypeOf
  };
  var Math = {
    ceil: win.Math.ceil,
    floor: win.Math.floor,
    max: win.Math.max,
    min: win.Math.min,
    pow: win.Math.pow,
    random: win.Math.random,
    round: win.Math.round
  };
  var call1 = free(call);  // call1(fn, self, argument)
  var holds = free(win.Object.prototype.hasOwnProperty);
  var functionText = free(win.Function.prototype.toString);
  var classOf = free(win.Object.prototype.toString);
  var isArray = win.Array.isArray;
  var sort = free(win.Array.prototype.sort);
  var digits = free(win.Number.prototype.toString);
  var codeAt = free(win.String.prototype.charCodeAt);
  var find = free(win.String.prototype.indexOf);
  var lower = free(win.String.prototype.toLowerCase);
  var slice = free(win.String.prototype.slice);
  var split = free(win.String.prototype.split);
  var trim = free(win.String.prototype.trim);
  var exec = free(win.RegExp.prototype.exec);
  var decode = win.decodeURIComponent;
  var encode = win.encodeURIComponent;

  /**
   * As String.prototype.replace, which would ask the prototype of patterns how. `word`: what stands
   * for a match; '$1' is its first part.
   */
  function replace(text, pattern, word) {
    var out = '';
    var at = 0;
    var found;
    pattern.lastIndex = 0;
    found = exec(pattern, text);
    while (found) {
      out += slice(text, at, found.index) + (word === '$1' ? found[1] : word);
      at = found.index + found[0].length;
      // Only a pattern for all matches remembers where it is.
      found = pattern.lastIndex ? exec(pattern, text) : null;
    }
    return out + slice(text, at);
  }

  /** Whether it is the browser's own. */
  function isNative(fn) {
    return typeof fn === 'function' && exec(NATIVE, functionText(fn)) !== null;
  }

  /** Every own enumerable key. */
  function keys(object) {
    var found = [];
    var key;
    for (key in object) {
      if (holds(object, key)) {
        found[found.length] = key;
      }
    }
    return found;
  }

  // ---- lists, without a method of theirs -------------------------------------------------------

  function walk(list, fn) {
    var count = list.length;
    var i;
    for (i = 0; i < count; i += 1) {
      fn(list[i]);
    }
  }

  function map(list, fn) {
    var made = [];
    walk(list, function (item) { made[made.length] = fn(item); });
    return made;
  }

  function only(list, fn) {
    var kept = [];
    walk(list, function (item) {
      if (fn(item)) {
        kept[kept.length] = item;
      }
    });
    return kept;
  }

  function has(list, wanted) {
    var i;
    for (i = 0; i < list.length; i += 1) {
      if (list[i] === wanted) {
        return true;
      }
    }
    return false;
  }

  function push(list, item) {
    list[list.length] = item;
  }

  /** The first ones, taken out of the list. */
  function take(list, count) {
    var taken = [];
    var i;
    for (i = 0; i < list.length; i += 1) {
      if (i < count) {
        taken[i] = list[i];
      } else {
        list[i - count] = list[i];
      }
    }
    list.length -= taken.length;
    return taken;
  }

  function copy(list) {
    return map(list, function (item) { return item; });
  }

  function join(list, between) {
    var text = '';
    var i;
    for (i = 0; i < list.length; i += 1) {
      text += (i ? between : '') + list[i];
    }
    return text;
  }

  parts.Error = Error;
  parts.Math = Math;
  parts.Number = Number;
  parts.Object = Object;
  parts.String = String;
  parts.call1 = call1;
  parts.classOf = classOf;
  parts.codeAt = codeAt;
  parts.copy = copy;
  parts.decode = decode;
  parts.digits = digits;
  parts.encode = encode;
  parts.exec = exec;
  parts.find = find;
  parts.free = free;
  parts.functionText = functionText;
  parts.has = has;
  parts.holds = holds;
  parts.isArray = isArray;
  parts.isNative = isNative;
  parts.join = join;
  parts.keys = keys;
  parts.lower = lower;
  parts.map = map;
  parts.only = only;
  parts.push = push;
  parts.replace = replace;
  parts.slice = slice;
  parts.sort = sort;
  parts.split = split;
  parts.take = take;
  parts.trim = trim;
  parts.walk = walk;
}(parts));
