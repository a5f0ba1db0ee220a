/*
 * Runs before the rest of the worker page and must run everywhere: ES3 only, nothing that document
 * mode 5 or 7 of Internet Explorer lacks. If the page cannot work, it says so, and what to do.
 * page.js looks at window.pagehandTooOld.
 */
(function () {
  var mode = document.documentMode;
  //: Every text stands in the catalogue of words.js.
  var t = window.pagehandText;
  var problem = '';
  var advice = t('Ask whoever looks after this program to switch its browser control to Internet ' +
    'Explorer 11 mode (FEATURE_BROWSER_EMULATION 11001), or take this address out of ' +
    'Compatibility View.');

  function show(id, text) {
    var element = document.getElementById(id);
    if (!element) {
      return;
    }
    while (element.firstChild) {
      element.removeChild(element.firstChild);
    }
    element.appendChild(document.createTextNode(text));
  }

  /** The address without its end, where a token may stand. */
  function place() {
    return window.location.host + window.location.pathname;
  }

  function since() {
    var now = new Date();
    var minutes = now.getMinutes();
    return now.getHours() + ':' + (minutes < 10 ? '0' : '') + minutes;
  }

  /** The button works here too; page.js does nothing in such a browser. */
  function offerReport() {
    var button = document.getElementById('copy');
    var box = document.getElementById('report');
    button.disabled = false;
    button.onclick = function () {
      var copied = false;
      box.value = t('Pagehand worker page') + ', ' + new Date() + '\r\n' + t('State') + ': ' +
        t('TOO OLD') + ' (E-OLD-01), ' + problem + '\r\n' + t('Server') + ': ' + place() +
        '\r\n' + t('Browser') + ': ' + window.navigator.userAgent + '\r\n' +
        t('Document mode') + ': ' + (mode || t('not Internet Explorer'));
      box.className = '';
      box.focus();
      box.select();
      try {
        copied = document.execCommand('copy');
      } catch (e) {
        copied = false;
      }
      show('copied', copied ? t('Copied.') : t('Press Ctrl+C to copy.'));
    };
  }

  if (mode && mode < 10) {
    problem = t('This browser mode is too old (document mode {mode}).', { mode: mode });
  } else if (!window.JSON || !window.XMLHttpRequest || !document.addEventListener ||
             !Object.keys || !Array.prototype.forEach || !Function.prototype.bind) {
    problem = t('This browser is too old to run this page.');
    advice = t('It needs Internet Explorer 11 or any newer browser.');
  }
  window.pagehandTooOld = problem;
  if (problem) {
    document.title = t('TOO OLD') + ' - Pagehand';
    document.getElementById('page').className = 'stopped';
    show('shape', 'X');
    show('word', t('TOO OLD'));
    show('detail', problem + ' ' + advice + ' ' + t('The fault lies with this browser.'));
    show('aloud', t('Tell the helpdesk: {name}, {what}, since {time}.',
      { name: place(), what: 'E-OLD-01', time: since() }));
    offerReport();
  } else {
    // Without JavaScript what stands in the page remains.
    document.title = t('STARTING') + ' - Pagehand';
    show('word', t('STARTING'));
    show('detail', t('This page runs jobs for a Pagehand server. Leave it open.'));
  }
}());
