/*
 * Refreshes a page of the console in place, and says so where it cannot: patch.js changes the page,
 * console.js completes it. ES5; where no script runs, pages load themselves anew.
 *
 * Markup: <body data-page data-refresh-s>; #main, #clock, #refreshing are refreshed; rows and cards
 * have data-key; #refresh-note takes words for people, and body the class no-refresh while the page
 * stands still. A form is never touched, and never goes while it holds what somebody has typed.
 */
(function () {
  'use strict';

  /** After a failed refresh: the first wait and the longest one. */
  var FIRST_WAIT_S = 2;
  var LONGEST_WAIT_S = 30;
  /** So late an answer makes the page one that stands still: a server takes less to restart. */
  var LATE_MS = 10000;
  /** The same where a person has selected text, and so keeps the page from it. */
  var SELECTED_LATE_MS = 60000;
  var NO_ANSWER = 'the server does not answer. Trying again.';

  var helper = window.PagehandConsole;
  var body = document.body;
  var main = document.getElementById('main');
  var note = document.getElementById('refresh-note');
  var refreshS = Number(body.getAttribute('data-refresh-s')) || 0;
  /** How many refreshes have failed in a row. */
  var failures = 0;
  /** When what stands here came from the server, and why nothing newer has come. */
  var answeredAt = new Date();
  var hindrance = NO_ANSWER;
  /** Timers: for the next refresh, and for an answer that is late; 0: none. */
  var planned = 0;
  var awaited = 0;

  /** The place on the screen of what has the focus; what comes above it must not push it away. */
  function topOf(focused) {
    return main.contains(focused) && focused !== main ? focused.getBoundingClientRect().top : 0;
  }

  function patchById(page, id) {
    var here = document.getElementById(id);
    var there = page.getElementById(id);
    return !!here && !!there && window.PagehandPatch.patch(here, there);
  }

  /** Whether something stays only because somebody has typed into it. */
  function patchPage(page) {
    var focused = document.activeElement;
    var top = topOf(focused);
    var keeps;
    helper.keepEnd(function () { keeps = patchById(page, 'main'); });
    patchById(page, 'clock');
    patchById(page, 'refreshing');
    if (document.title !== page.title) { document.title = page.title; }
    if (focused && focused !== document.activeElement && body.contains(focused)) {
      focused.focus();
    }
    window.scrollBy(0, Math.round(topOf(focused) - top));
    return keeps;
  }

  function isSelecting() {
    var selection = window.getSelection();
    return !!selection && !selection.isCollapsed && main.contains(selection.anchorNode);
  }

  function tell(text) {
    if (note.textContent !== text) { note.textContent = text; }
  }

  function sinceWhen() { return 'No refresh since ' + helper.shortClock(answeredAt) + ': '; }

  function standsStill() { return body.classList.contains('no-refresh'); }

  /** Keeps the page from being refreshed; a person who can change that hears it at once. */
  function hinder(why, atOnce) {
    hindrance = why;
    if (atOnce || standsStill()) { tell(sinceWhen() + why); }
  }

  /** The note lies over the end of the window: what has the focus comes out from under it. */
  function uncover() {
    var focused = document.activeElement;
    var place;
    var over;
    if (!standsStill() || !focused || focused === body) { return; }
    place = focused.getBoundingClientRect();
    over = place.bottom - note.getBoundingClientRect().top;
    if (over > 0) { window.scrollBy(0, Math.ceil(Math.min(over, Math.max(place.top, 0)))); }
  }

  /** Shows from afar, in the title and to screen readers that what stands here is not of now. */
  function standStill() {
    body.classList.add('no-refresh');
    document.title = sinceWhen() + document.title;
    tell(sinceWhen() + hindrance);
    uncover();
  }

  function awaitAnswer() {
    var lateMs = isSelecting() ? SELECTED_LATE_MS : LATE_MS;
    awaited = awaited || window.setTimeout(standStill, lateMs);
  }

  /** What stands here is of now again. */
  function beFresh() {
    window.clearTimeout(awaited);
    awaited = 0;
    failures = 0;
    answeredAt = new Date();
    hindrance = NO_ANSWER;
    body.classList.remove('no-refresh');
  }

  /** The next one; after failures soon, and then ever later. */
  function plan() {
    var again = Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * Math.pow(2, Math.min(failures, 6) - 1));
    if (refreshS) { planned = window.setTimeout(refresh, (failures ? again : refreshS) * 1000); }
  }

  function failed() {
    failures += 1;
    hinder(NO_ANSWER, false);
    plan();
  }

  function take(page) {
    beFresh();
    refreshS = Number(page.body.getAttribute('data-refresh-s')) || 0;
    helper.complete(page);
    tell(patchPage(page) ? 'Something here is over. It stays because you have typed into it.' : '');
    plan();
  }

  function stay() {
    hinder('the server shows another page now. What you have typed is still here.', true);
    plan();
  }

  function received(xhr) {
    var page = xhr.status === 200 ? xhr.response : null;
    if (!xhr.status || xhr.status >= 500) { return failed(); }
    if (!page || page.body.getAttribute('data-page') !== body.getAttribute('data-page')) {
      // Signed out, or what the page shows is gone: the browser shows what the server says.
      return window.PagehandPatch.holdsTyped(main) ? stay() : window.location.reload();
    }
    return isSelecting() ? refresh() : take(page);
  }

  function refresh() {
    var xhr;
    planned = 0;
    if (document.hidden) { return plan(); }
    awaitAnswer();
    if (isSelecting()) {
      hinder('text is selected.', true);
      return plan();
    }
    xhr = new window.XMLHttpRequest();
    xhr.open('GET', window.location.pathname + window.location.search, true);
    xhr.setRequestHeader('Accept', 'text/html');
    xhr.responseType = 'document';  // neither this nor the timeout before open(), or IE 11 throws
    xhr.timeout = 30000;
    xhr.onloadend = function () { received(xhr); };
    return xhr.send(null);
  }

  document.addEventListener('visibilitychange', function () {
    if (!document.hidden && planned) {  // it comes back into sight, perhaps after hours
      window.clearTimeout(planned);
      refresh();
    }
  }, false);

  document.addEventListener('focus', function () {
    window.setTimeout(uncover, 0);  // when the browser has brought it into the window
  }, true);

  plan();
}());
