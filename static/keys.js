/*
 * Keys of the console, for people who use it all day. ES5; every page works without this script.
 *
 * A key alone does something, so people can switch the keys off (WCAG 2.1.4); the browser remembers
 * that. In a field, and with Ctrl, Alt or a like key, they do nothing.
 */
(function () {
  'use strict';

  var OFF = 'pagehand-keys-off';
  /** A key after `g` counts for so long. */
  var GO_MS = 1500;
  /** So the part of an address behind # begins that names the row to tick. */
  var TICK = 'tick-';
  var PLACES = { o: '/', j: '/jobs', w: '/workers', t: '/types', h: '/help' };
  var LIST = [
    ['g o', 'Overview'], ['g j', 'Jobs'], ['g w', 'Workers'], ['g t', 'Types'], ['g h', 'Help'],
    ['/', 'To the search'], ['j', 'Next row'], ['k', 'Row before'],
    ['x', 'Tick the row, or take the tick away (jobs, workers)'],
    ['X', 'Tick all rows, or take all ticks away'],
    ['r', 'Load the page anew'], ['t', 'Colours: light, dark, as the system has them'],
    ['?', 'Show or hide this list']
  ];

  var foot = document.querySelector('.foot');
  var main = document.getElementById('main');
  var goAt = 0;
  var box = null;
  /** What had the focus before the list was shown. */
  var before = null;

  function storage(use) {
    try {
      return use(window.localStorage);
    } catch (e) {
      return null;  // forbidden here: the keys are on
    }
  }

  function isOff() {
    return storage(function (kept) { return kept.getItem(OFF); }) === '1';
  }

  function setOff(off) {
    storage(function (kept) {
      if (off) { kept.setItem(OFF, '1'); } else { kept.removeItem(OFF); }
    });
  }

  function element(name, text) {
    var made = document.createElement(name);
    if (text) { made.appendChild(document.createTextNode(text)); }
    return made;
  }

  function button(text, press) {
    var made = element('button', text);
    made.type = 'button';
    made.onclick = press;
    return made;
  }

  // ---- the list of keys ------------------------------------------------------------------------

  function line(entry) {
    var row = element('tr');
    var key = row.appendChild(element('th'));
    key.setAttribute('scope', 'row');
    key.appendChild(element('code', entry[0]));
    row.appendChild(element('td', entry[1]));
    return row;
  }

  function addSwitch() {
    var press = button(isOff() ? 'Switch the keys on' : 'Switch the keys off', function () {
      setOff(!isOff());
      press.firstChild.data = isOff() ? 'Switch the keys on' : 'Switch the keys off';
    });
    box.appendChild(press);
  }

  function show() {
    var table = element('table');
    var body = element('tbody');
    var index;
    before = document.activeElement;
    box = element('div');
    box.id = 'keys';
    box.className = 'box page';
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', 'Keys');
    box.tabIndex = -1;
    box.appendChild(element('h2', 'Keys'));
    table.className = 'facts';
    for (index = 0; index < LIST.length; index += 1) { body.appendChild(line(LIST[index])); }
    table.appendChild(body);
    box.appendChild(table);
    addSwitch();
    box.appendChild(document.createTextNode(' '));
    box.appendChild(button('Hide this list', hide));
    foot.parentNode.insertBefore(box, foot);
    box.focus();
  }

  function hide() {
    box.parentNode.removeChild(box);
    box = null;
    if (before && document.body.contains(before)) { before.focus(); }
  }

  function toggle() {
    if (box) { hide(); } else { show(); }
  }

  // ---- rows ------------------------------------------------------------------------------------

  function rows() {
    return [].slice.call(main.querySelectorAll('.list tbody tr'));
  }

  /** The place of the row that has the focus; -1: none has it. */
  function here(all) {
    var index;
    for (index = 0; index < all.length; index += 1) {
      if (all[index].contains(document.activeElement)) { return index; }
    }
    return -1;
  }

  function move(by) {
    var all = rows();
    var at = here(all);
    var next = all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))];
    var link = next && next.querySelector('a');
    if (link) { link.focus(); }
  }

  function tickHash(row) {
    return '#' + TICK + window.encodeURIComponent(row.getAttribute('data-key'));
  }

  /** The same list with boxes: this row is ticked there, or as the value says. */
  function offerTicks(row, value) {
    var link = main.querySelector('a[data-tick-on]');
    if (link) {
      window.location.href = link.href.replace('tick=1', 'tick=' + value) +
        (row ? tickHash(row) : '');
    }
  }

  /** Without a row that has the focus, the first one gets it. */
  function tick() {
    var all = rows();
    var row = all[here(all)];
    var field = (row || main).querySelector('.list tbody input[type=checkbox]');
    if (!field) {
      offerTicks(row, '1');
    } else if (row) {
      field.click();
    } else {
      move(1);
    }
  }

  function tickAll() {
    var box = main.querySelector('[data-tick-all] input');
    if (box) { box.click(); } else { offerTicks(null, 'all'); }
  }

  /** Ticks the row that was meant where there were no boxes yet, once: a reload does not do it. */
  function tickMeant() {
    var hash = window.location.hash;
    var row = rows().filter(function (one) { return tickHash(one) === hash; })[0];
    var field = row && row.querySelector('input[type=checkbox]');
    if (field) {
      field.click();
      row.querySelector('a').focus();
    }
    window.history.replaceState(null, '', window.location.pathname + window.location.search);
  }

  function search() {
    var field = main.querySelector('.filter input[name=q]') ||
      main.querySelector('.filter input, .filter select');
    if (field) { field.focus(); }
    return !!field;
  }

  // ---- colours ---------------------------------------------------------------------------------

  /** As handlers/console/colours.py has them: the next one; dark sheet's media, scheme, words. */
  var COLOURS = {
    system: ['light', '(prefers-color-scheme: dark)', 'light dark', 'as the system has them'],
    light: ['dark', 'not all', 'light', 'light'],
    dark: ['system', 'screen', 'dark', 'dark']
  };
  var me = document.getElementById('me');

  /** A cookie, so that the server knows it before the next page is drawn. */
  function keepColours(name) {
    var end = name === 'system' ? new Date(0) : new Date(new Date().getTime() + 365 * 86400000);
    document.cookie = 'pagehand_colours=' + name + '; path=' + me.getAttribute('data-path') +
      '; expires=' + end.toUTCString() + '; SameSite=Lax' +
      (window.location.protocol === 'https:' ? '; Secure' : '');
  }

  /** A copy takes its place: an old browser does not see that a link has other media. */
  function darkenFor(media) {
    var link = document.getElementById('dark');
    var other = link.cloneNode(false);
    other.media = media;
    link.parentNode.replaceChild(other, link);
  }

  function nextColours() {
    var name = COLOURS[me.getAttribute('data-colours')][0];
    keepColours(name);
    me.setAttribute('data-colours', name);
    darkenFor(COLOURS[name][1]);
    document.querySelector('meta[name=color-scheme]').setAttribute('content', COLOURS[name][2]);
    document.getElementById('colours').firstChild.data = COLOURS[name][3];
  }

  // ---- keys ------------------------------------------------------------------------------------

  function isTyping(target) {
    return /^(INPUT|TEXTAREA|SELECT)$/.test(target.nodeName) && target.type !== 'checkbox';
  }

  /** The address of a page of this server: those in the head have its prefix. */
  function address(path) {
    var link = document.querySelector('.nav a[href$="' + path + '"]');
    return link ? link.href : null;
  }

  function go(key) {
    var to = Object.prototype.hasOwnProperty.call(PLACES, key) ? address(PLACES[key]) : null;
    if (to) { window.location.href = to; }
    return !!to;
  }

  /** Whether the key has done something. */
  function pressed(key) {
    var after = goAt && new Date().getTime() - goAt < GO_MS;
    goAt = 0;
    if (after && go(key)) { return true; }
    switch (key) {
      case 'g': goAt = new Date().getTime(); return true;
      case 'j': move(1); return true;
      case 'k': move(-1); return true;
      case 'x': tick(); return true;
      case 'X': tickAll(); return true;
      case 'r': window.location.reload(); return true;
      case 't': if (me) { nextColours(); } return !!me;
      case '/': return search();
      case '?': toggle(); return true;
      default: return false;
    }
  }

  /** What a link of a guide means is shown, also where it is folded. */
  function unfold() {
    var name = window.location.hash.slice(1);
    var part = /^[\w-]+$/.test(name) ? document.getElementById(name) : null;
    var folded = part && part.querySelector('details.rest');
    if (folded) { folded.open = true; }
  }

  window.addEventListener('hashchange', unfold, false);
  unfold();
  if (window.location.hash.indexOf('#' + TICK) === 0) { tickMeant(); }

  // keypress tells the character, whatever the keyboard; IE 11 has no other event that does.
  document.addEventListener('keypress', function (event) {
    var alone = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (!alone || isOff() || isTyping(event.target)) { return; }
    if (pressed(String.fromCharCode(event.charCode))) { event.preventDefault(); }
  }, false);

  (function () {
    var place = element('p');
    var press = button('Keys', toggle);
    press.className = 'plain';
    place.appendChild(press);
    foot.appendChild(place);
    if (me) {
      press = button('Other colours', nextColours);
      press.className = 'plain';
      me.appendChild(document.createTextNode(' '));
      me.appendChild(press);
    }
  }());
}());
