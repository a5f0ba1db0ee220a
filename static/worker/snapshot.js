/**
 * What the page shows as a task fails, as lines of the job's log: for its flight record. The words
 * of the worker page itself are left out, for they tell of other jobs: a question about one in
 * doubt, the last error. Such a part of a page says data-snapshot="no".
 */
(function (parts) {
  'use strict';

  var Math = parts.Math;
  var Worker = parts.Worker;
  var exec = parts.exec;
  var noop = parts.noop;
  var replace = parts.replace;
  var slice = parts.slice;
  var trim = parts.trim;
  var walk = parts.walk;

  /** Characters in a line of the log, and lines. */
  var CHARS = 1500;
  var LINES = 4;
  var LEFT_OUT = '[data-snapshot="no"]';
  var ELEMENT = 1;
  var TEXT = 3;

  function isLeftOut(element) {
    return element.getAttribute('data-snapshot') === 'no' ||
      exec(/^(script|style|noscript|template)$/i, element.nodeName) !== null ||
      // What is not drawn would be told with all that it holds.
      !element.getClientRects().length;
  }

  /** An element with a part that is left out is told piece by piece. */
  function shown(node) {
    var text = '';
    if (node.nodeType === TEXT) {
      return node.nodeValue;
    }
    if (node.nodeType !== ELEMENT || isLeftOut(node)) {
      return '';
    }
    if (!node.querySelector(LEFT_OUT)) {
      return node.innerText || '';
    }
    walk(node.childNodes, function (child) { text += shown(child) + '\n'; });
    return text;
  }

  Worker.prototype._logSnapshot = function (attempt) {
    var body = this._env.document.body;
    var text = '';
    var lines;
    var line;
    try {
      text = replace(trim(body ? shown(body) : ''), /\s*[\r\n]\s*/g, ' | ');
    } catch (e) {
      noop();  // a task may have put anything there; its report comes first
    }
    lines = Math.min(LINES, Math.ceil(text.length / CHARS));
    for (line = 0; line < lines; line += 1) {
      this._log(attempt, 'the page showed (' + (line + 1) + ' of ' + lines + '): ' +
        slice(text, line * CHARS, (line + 1) * CHARS));
    }
  };
}(parts));
