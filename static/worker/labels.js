/** Labels: what a page says about itself, such as {site: 'berlin', printer: 'zebra'}. */
(function (parts) {
  'use strict';

  var clip = parts.clip;
  var isObject = parts.isObject;
  var own = parts.own;

  var LABELS_MAX = 20;
  var VALUE_MAX = 200;

  /** [name, value] of each label, from an object or a text like 'site:berlin,printer:zebra'. */
  function pairs(given) {
    if (typeof given === 'string') {
      return given.split(',').filter(function (text) { return text.trim() !== ''; }).map(pair);
    }
    if (!isObject(given) || Array.isArray(given)) {
      return [[given, given]];
    }
    return Object.keys(given).map(function (name) { return [name, given[name]]; });
  }

  function pair(text) {
    var colon = text.indexOf(':');
    return colon < 0 ? [text.trim(), ''] :
      [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  }

  /** Counts as the server does: the two halves of a pair are one character. */
  function characters(text) {
    return text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '.').length;
  }

  /** Why a label cannot be sent, in words; '' if it can. */
  function objection(name, value, sent) {
    if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,50}$/.test(name)) {
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
    return Object.keys(sent).length < LABELS_MAX ? '' : 'a page has at most ' + LABELS_MAX;
  }

  /**
   * The labels that are sent, and what is wrong with the others.
   * @param {*} given
   * @returns {{sent: Object<string, string>, bad: string[]}}
   */
  function readLabels(given) {
    var sent = Object.create(null);  // so that a label may be called __proto__
    var bad = [];
    pairs(given).forEach(function (label) {
      var why = objection(label[0], label[1], sent);
      if (why) {
        bad.push('"' + clip(label[0], 50) + '" (' + why + ')');
      } else {
        sent[label[0]] = label[1];
      }
    });
    return { sent: sent, bad: bad };
  }

  parts.readLabels = readLabels;
}(parts));
