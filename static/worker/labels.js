/** Labels: what a page says about itself, such as {site: 'berlin', printer: 'zebra'}. */
(function (parts) {
  'use strict';

  var Object = parts.Object;
  var clip = parts.clip;
  var exec = parts.exec;
  var find = parts.find;
  var isArray = parts.isArray;
  var isObject = parts.isObject;
  var keys = parts.keys;
  var map = parts.map;
  var only = parts.only;
  var own = parts.own;
  var push = parts.push;
  var replace = parts.replace;
  var slice = parts.slice;
  var split = parts.split;
  var trim = parts.trim;
  var walk = parts.walk;

  var LABELS_MAX = 20;
  var VALUE_MAX = 200;

  /** [name, value] of each label, from an object or a text like 'site:berlin,printer:zebra'. */
  function pairs(given) {
    if (typeof given === 'string') {
      return map(only(split(given, ','), function (text) { return trim(text) !== ''; }), pair);
    }
    if (!isObject(given) || isArray(given)) {
      return [[given, given]];
    }
    return map(keys(given), function (name) { return [name, given[name]]; });
  }

  function pair(text) {
    var colon = find(text, ':');
    return colon < 0 ? [trim(text), ''] :
      [trim(slice(text, 0, colon)), trim(slice(text, colon + 1))];
  }

  /** Counts as the server does: the two halves of a pair are one character. */
  function characters(text) {
    return replace(text, /[\ud800-\udbff][\udc00-\udfff]/g, '.').length;
  }

  /** Why a label cannot be sent, in words; '' if it can. */
  function objection(name, value, sent) {
    if (typeof name !== 'string' || !exec(/^[A-Za-z0-9._-]{1,50}$/, name)) {
      return 'a name has 1 to 50 letters, digits, dots, - and _';
    }
    if (name === 'name') {
      return 'the name of a page is not one of its labels';
    }
    if (typeof value !== 'string' || value === '' || characters(value) > VALUE_MAX) {
      return 'a value is a text of 1 to ' + VALUE_MAX + ' characters';
    }
    if (own(sent, name) !== undefined) {
      return 'it is given twice';
    }
    return keys(sent).length < LABELS_MAX ? '' : 'a page has at most ' + LABELS_MAX;
  }

  /**
   * The labels that are sent, and what is wrong with the others.
   * @param {*} given
   * @returns {{sent: Object<string, string>, bad: string[]}}
   */
  function readLabels(given) {
    var sent = Object.create(null);  // so that a label may be called __proto__
    var bad = [];
    walk(pairs(given), function (label) {
      var why = objection(label[0], label[1], sent);
      if (why) {
        push(bad, '"' + clip(label[0], 50) + '" (' + why + ')');
      } else {
        sent[label[0]] = label[1];
      }
    });
    return { sent: sent, bad: bad };
  }

  /** The labels that count, as the server's message has them; null: it says none. */
  function toldLabels(found) {
    var labels = Object.create(null);
    if (!isObject(found)) {
      return null;
    }
    walk(keys(found), function (name) {
      labels[clip(name, 50)] = clip(found[name], 2 * VALUE_MAX);
    });
    return labels;
  }

  parts.readLabels = readLabels;
  parts.toldLabels = toldLabels;
}(parts));
