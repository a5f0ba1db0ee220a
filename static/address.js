/** The address of the worker page: reads its parts, and says which of them are unknown or wrong. */
(function (window) {
  'use strict';

  //: Every text stands in the catalogue of words.js.
  var t = window.pagehandText;
  var NAMES = ['types', 'name', 'slots', 'labels', 'transport', 'lang', 'token', 't'];
  var LIKELY = {
    type: 'types', task: 'types', tasks: 'types', job: 'types', worker: 'name', names: 'name',
    slot: 'slots', label: 'labels', tags: 'labels',
    language: 'lang', transports: 'transport', polling: 'transport', websocket: 'transport'
  };
  var TRANSPORTS = ['auto', 'polling', 'websocket'];
  var NAME_MAX = 100;
  var SLOTS_MAX = 64;

  /** What a text stands for; as it is where it is not well encoded. */
  function decoded(text) {
    try {
      return decodeURIComponent(text.replace(/\+/g, ' '));
    } catch (e) {
      return text;
    }
  }

  function pairs(search) {
    return search.replace(/^\?/, '').split('&').filter(function (text) { return text !== ''; })
      .map(function (text) {
        var at = text.indexOf('=');
        return at < 0 ? [decoded(text), ''] : [decoded(text.slice(0, at)), text.slice(at + 1)];
      });
  }

  /** A name as it may be shown: what is longer or odd may be a secret. */
  function shown(name) {
    return /^[A-Za-z_\-]{1,20}$/.test(name) ? '"' + name + '"' : t('one of the names');
  }

  function unknown(name) {
    var lower = name.toLowerCase();
    var meant = NAMES.indexOf(lower) >= 0 ? lower :
      Object.prototype.hasOwnProperty.call(LIKELY, lower) ? LIKELY[lower] : '';
    return meant ? t('{name} is not a parameter (did you mean {meant}?)',
      { name: shown(name), meant: meant }) :
      t('{name} is not a parameter (there are types, name, slots, labels, transport and lang)',
        { name: shown(name) });
  }

  /** Why the value of a known parameter is not taken as it is; '' if it is. */
  function wrong(name, text, value) {
    if (name !== 'token' && name !== 't' && /%(?![0-9A-Fa-f]{2})/.test(text)) {
      return t('{name} has a % that is not written as %25', { name: name });
    }
    if (name === 'slots' && !(/^[0-9]+$/.test(value) && value >= 1 && value <= SLOTS_MAX)) {
      return t('slots is a whole number from 1 to {most}, so 1 is taken', { most: SLOTS_MAX });
    }
    if (name === 'name' && value.length > NAME_MAX) {
      return t('name has more than {most} characters and is cut', { most: NAME_MAX });
    }
    if (name === 'transport' && TRANSPORTS.indexOf(value) < 0) {
      return t('transport is auto, polling or websocket, so auto is taken');
    }
    if (name === 'lang' && value !== 'de' && value !== 'en') {
      return t('lang is de or en, so the language of the browser is taken');
    }
    return '';
  }

  /**
   * @param {string} search @param {string} hash of the address
   * @returns {{types: string[], name: string, slots: number, labels: string, transport: string,
   * bad: string[]}}
   * bad: what is wrong, in words, without any value
   */
  window.pagehandAddress = function (search, hash) {
    var values = Object.create(null);
    var bad = [];
    pairs(search).forEach(function (pair) {
      var name = pair[0];
      var value = decoded(pair[1]);
      var why = NAMES.indexOf(name) < 0 ? unknown(name) : wrong(name, pair[1], value);
      if (!why && name in values) {
        why = t('{name} stands there twice, and the first one is taken', { name: name });
      }
      if (why) {
        bad.push(why);
      }
      if (!(name in values)) {
        values[name] = value;
      }
    });
    if (hash.length > 1 && !/^#(.*&)?(token|join)=/.test(hash)) {
      bad.push(t('what stands behind # does not begin with token= or join='));
    }
    return {
      types: (values.types || '').split(/[\s,]+/).filter(function (name) { return name !== ''; }),
      name: values.name || '',
      slots: values.slots === undefined || wrong('slots', '', values.slots) ? 1 : +values.slots,
      labels: values.labels || '',
      transport: TRANSPORTS.indexOf(values.transport) < 0 ? 'auto' : values.transport,
      bad: bad
    };
  };
}(window));
