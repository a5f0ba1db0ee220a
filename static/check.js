/*
 * Runs before the rest of the worker page and must run everywhere: ES3 only, nothing that document
 * mode 5 or 7 of Internet Explorer lacks. If the page cannot work, it says so, and what to do.
 * page.js looks at window.pagehandTooOld.
 */
(function () {
  var mode = document.documentMode;
  var problem = '';
  var advice = 'Ask whoever looks after this program to switch its browser control to Internet ' +
    'Explorer 11 mode (FEATURE_BROWSER_EMULATION 11001), or take this address out of ' +
    'Compatibility View.';

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
      box.value = 'Pagehand worker page, ' + new Date() + '\r\nState: TOO OLD (E-OLD-01), ' +
        problem + '\r\nServer: ' + place() + '\r\nBrowser: ' + window.navigator.userAgent +
        '\r\nDocument mode: ' + (mode || 'not Internet Explorer');
      box.className = '';
      box.focus();
      box.select();
      try {
        copied = document.execCommand('copy');
      } catch (e) {
        copied = false;
      }
      show('copied', copied ? 'Copied.' : 'Press Ctrl+C to copy.');
    };
  }

  if (mode && mode < 10) {
    problem = 'This browser mode is too old (document mode ' + mode + ').';
  } else if (!window.JSON || !window.XMLHttpRequest || !document.addEventListener ||
             !Object.keys || !Array.prototype.forEach || !Function.prototype.bind) {
    problem = 'This browser is too old to run this page.';
    advice = 'It needs Internet Explorer 11 or any newer browser.';
  }
  window.pagehandTooOld = problem;
  if (problem) {
    document.title = 'TOO OLD - Pagehand';
    document.getElementById('page').className = 'stopped';
    show('shape', 'X');
    show('word', 'TOO OLD');
    show('detail', problem + ' ' + advice + ' The fault lies with this browser.');
    show('aloud', 'Tell the helpdesk: ' + place() + ', E-OLD-01, since ' + since() + '.');
    offerReport();
  } else {
    // Without JavaScript what stands in the page remains.
    document.title = 'STARTING - Pagehand';
    show('word', 'STARTING');
    show('detail', 'This page runs jobs for a Pagehand server. Leave it open.');
  }
}());
