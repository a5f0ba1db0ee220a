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
    show('detail', problem + ' ' + advice);
  }
}());
