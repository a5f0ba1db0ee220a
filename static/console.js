/*
 * Helps with the console's pages: adds the local time beside UTC, lets forms take times by the
 * local clock, adds buttons that copy an id and boxes that tick all rows, and says which instant a
 * slider means. ES5; the pages work without this script, too: then they show and take UTC only.
 *
 * Markup: <time datetime>, by the local clock with data-local; .local-name names it; [data-copy]
 * for a button; [data-follow] for one that keeps the end of the box with this id in view;
 * [data-tick-all] for a box; <form data-now-s> for a slider; input[name=clock] and .clock-name for
 * the clock of a form.
 */
(function () {
  'use strict';

  var MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

  /** The id of the box whose end is kept in view; '' if none is. */
  var followed = '';

  // ---- local time ------------------------------------------------------------------------------

  function two(number) { return (number < 10 ? '0' : '') + number; }

  function clock(date) {
    return two(date.getHours()) + ':' + two(date.getMinutes()) + ':' + two(date.getSeconds());
  }

  function day(date) {
    return date.getFullYear() + '-' + two(date.getMonth() + 1) + '-' + two(date.getDate());
  }

  /** The local time of an instant, with its date if that is another one than in UTC; or ''. */
  function localTime(text) {
    var date = new Date(text);
    if (isNaN(date.getTime()) || date.getTimezoneOffset() === 0) { return ''; }
    return (day(date) === text.slice(0, 10) ? '' : day(date) + ' ') + clock(date) + ' local';
  }

  /** `21:04` by the local clock, or `22 Nov 21:04` of another day. */
  function shortClock(date) {
    var text = clock(date).slice(0, 5);
    var isToday = day(date) === day(new Date());
    return isToday ? text : date.getDate() + ' ' + MONTHS[date.getMonth()] + ' ' + text;
  }

  /** Shows an instant by the local clock; its title has UTC. */
  function setLocalTime(time) {
    var date = new Date(time.getAttribute('datetime'));
    if (!isNaN(date.getTime()) && difference()) { time.textContent = shortClock(date); }
  }

  function setLocalName(name) { name.textContent = 'UTC' + difference(); }

  function addLocalTime(time) {
    var local = localTime(time.getAttribute('datetime'));
    var title = time.getAttribute('title');
    if (!local) { return; }
    if (title) {
      time.setAttribute('title', title + ' (' + local + ')');
    } else {
      time.appendChild(time.ownerDocument.createTextNode(' (' + local + ')'));
    }
  }

  /** How far the clock of this computer is from UTC: `+01:00`; '' if it shows UTC. */
  function difference() {
    var minutes = -new Date().getTimezoneOffset();
    var far = Math.abs(minutes);
    if (!minutes) { return ''; }
    return (minutes < 0 ? '-' : '+') + two(Math.floor(far / 60)) + ':' + two(far % 60);
  }

  /** Lets a form take times by the clock of this computer, unless its address names another one. */
  function setClock(field) {
    if (field.value || !difference()) { return; }
    field.value = difference();
    each(field.form, '.clock-name', function (name) { name.textContent = 'UTC' + field.value; });
  }

  // ---- copy an id ------------------------------------------------------------------------------

  function addCopyButton(place) {
    var button = place.ownerDocument.createElement('button');
    var whole = place.getAttribute('data-copy');
    button.type = 'button';
    button.className = 'copy';
    button.setAttribute('title', 'Copy ' + whole);
    button.setAttribute('aria-label', 'Copy the id that ends in ' + whole.slice(-8));
    button.appendChild(place.ownerDocument.createTextNode('Copy'));
    place.appendChild(button);
  }

  function say(button, word) {
    button.firstChild.data = word;
    window.setTimeout(function () { button.firstChild.data = 'Copy'; }, 2000);
  }

  /** execCommand works without HTTPS. Where it is forbidden, the id can be copied by hand. */
  function copy(button) {
    var field = document.createElement('input');
    var copied = false;
    field.value = button.parentNode.getAttribute('data-copy');
    field.setAttribute('aria-label', 'The whole id');
    field.readOnly = true;
    button.parentNode.appendChild(field);
    field.focus();
    field.select();
    try {
      copied = document.execCommand('copy');
    } catch (e) {
      copied = false;
    }
    if (!copied) {
      field.onblur = function () { field.parentNode.removeChild(field); };
      return say(button, 'Press Ctrl+C');
    }
    field.parentNode.removeChild(field);
    button.focus();
    return say(button, 'Copied');
  }

  // ---- follow the lines of a log ---------------------------------------------------------------

  function addFollowSwitch(place) {
    var button = place.ownerDocument.createElement('button');
    button.type = 'button';
    button.className = 'follow';
    button.setAttribute('title', 'Keeps the last line in view, unless you scroll up');
    button.setAttribute('aria-pressed', String(followed === place.getAttribute('data-follow')));
    button.appendChild(place.ownerDocument.createTextNode('Follow'));
    place.appendChild(button);
  }

  function isAtEnd(box) { return box.scrollHeight - box.scrollTop - box.clientHeight < 40; }

  function showEnd() {
    var box = document.getElementById(followed);
    if (box) { box.scrollTop = box.scrollHeight; }
  }

  function follow(button) {
    followed = followed ? '' : button.parentNode.getAttribute('data-follow');
    button.setAttribute('aria-pressed', String(!!followed));
    showEnd();
  }

  // ---- tick all rows ---------------------------------------------------------------------------

  function rowBoxes(box) {
    var table = box;
    while (table.nodeName !== 'TABLE') { table = table.parentNode; }
    return [].slice.call(table.querySelectorAll('tbody input[name=id]'));
  }

  /** Shows whether all rows are ticked, some, or none. */
  function showTicks(box) {
    var all = rowBoxes(box);
    var ticked = all.filter(function (one) { return one.checked; }).length;
    box.checked = ticked > 0 && ticked === all.length;
    box.indeterminate = ticked > 0 && ticked < all.length;
  }

  function addTickAll(place) {
    var box = place.ownerDocument.createElement('input');
    box.type = 'checkbox';
    box.setAttribute('aria-label', 'Tick all on this page');
    place.appendChild(box);
    box.onchange = function () {
      rowBoxes(box).forEach(function (one) { one.checked = box.checked; });
    };
    showTicks(box);
  }

  document.addEventListener('change', function (event) {
    if (event.target.name === 'id') { each(document, '[data-tick-all] input', showTicks); }
  }, false);

  // ---- clicks ----------------------------------------------------------------------------------

  document.addEventListener('click', function (event) {
    if (event.target.tagName !== 'BUTTON') { return; }
    if (event.target.className === 'copy') { copy(event.target); }
    if (event.target.className === 'follow') { follow(event.target); }
  }, false);

  function each(root, selector, use) {
    var found = root.querySelectorAll(selector);
    var index;
    for (index = 0; index < found.length; index += 1) { use(found[index]); }
  }

  // ---- look back ------------------------------------------------------------------------------

  var QUARTER_S = 900;
  var loadedAtMs = new Date().getTime();

  /** The instant that a slider means: so many quarters of an hour back, by the server's clock. */
  function instantOf(form, quarters) {
    var passedS = (new Date().getTime() - loadedAtMs) / 1000;
    var nowS = Number(form.getAttribute('data-now-s')) + passedS;
    return new Date((Math.floor(nowS / QUARTER_S) + quarters) * QUARTER_S * 1000).toISOString();
  }

  /** Says beside a slider, and to screen readers, which instant it means. */
  function followSlider(form) {
    var slider = form.querySelector('input');
    function tellInstant() {
      var text = instantOf(form, Number(slider.value));
      var local = localTime(text).replace(/:00 local$/, ' local');
      var words = text.slice(0, 16).replace('T', ' ') + ' UTC';
      words = slider.value === '0' ? 'now' : words + (local ? ' (' + local + ')' : '');
      slider.setAttribute('aria-valuetext', words);
      form.querySelector('.instant').textContent = words;
    }
    slider.addEventListener('input', tellInstant, false);
    slider.addEventListener('change', tellInstant, false);  // IE 11 has no other while it moves
    tellInstant();
  }

  /** Adds what only a script can know or do. A page that comes by a refresh gets it, too. */
  function complete(root) {
    each(root, 'time', addLocalTime);
    each(root, 'time[data-local]', setLocalTime);
    each(root, '.local-name', setLocalName);
    each(root, '[data-copy]', addCopyButton);
    each(root, '[data-follow]', addFollowSwitch);
  }

  /** Changes the page; the end of a box that is followed stays in view. */
  function keepEnd(change) {
    var box = followed && document.getElementById(followed);
    var wasAtEnd = !!box && isAtEnd(box);  // else the reader has scrolled up
    change();
    if (wasAtEnd) { showEnd(); }
  }

  window.PagehandConsole = { complete: complete, keepEnd: keepEnd, shortClock: shortClock };

  complete(document);
  each(document, '[data-now-s]', followSlider);
  each(document, 'input[name=clock]', setClock);
  each(document, '[data-tick-all]', addTickAll);
}());
