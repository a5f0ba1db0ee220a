/*
 * Tries a job's task in this browser (/jobs/<id>/try): loads the task's file, and runs the task
 * when somebody presses the button. Nothing is sent to the server. ES5. Needs worker.js.
 *
 * Markup: #trial with data-type, data-file, data-limit, data-host-call; #offer has the message
 * that a worker would get; #run is the button; the rest is where something is shown.
 */
(function (window, document) {
  'use strict';

  var MOST_LINES = 1000;
  var RENDER_MS = 200;

  var trial = document.getElementById('trial');
  var type = trial.getAttribute('data-type');
  var limit = Number(trial.getAttribute('data-limit'));
  var button = byId('run');
  //: A task may put something else in their place.
  var setTimer = window.setTimeout;
  var getTime = Date.prototype.getTime;
  var NewDate = Date;
  //: What went wrong while the file was loaded.
  var fault = '';
  var offer = null;
  var startedAt = 0;
  var isRunning = false;

  function byId(id) {
    return document.getElementById(id);
  }

  function now() {
    return getTime.call(new NewDate());
  }

  /** A mark that would turn the direction of text is shown, as everywhere in the console. */
  function spelled(text) {
    return String(text).replace(/[\u202a-\u202e\u2066-\u2069]/g, function (mark) {
      return '[U+' + mark.charCodeAt(0).toString(16).toUpperCase() + ']';
    });
  }

  /** Text, never markup. None: the place is hidden. */
  function show(id, text) {
    var element = byId(id);
    element.textContent = text === null ? '' : spelled(text);
    element.hidden = text === null;
  }

  function seconds(ms) {
    return ms < 1000 ? Math.round(ms) + ' ms' : (ms / 1000).toFixed(1) + ' s';
  }

  function clear() {
    ['progress', 'outcome', 'message', 'value', 'log-title', 'log'].forEach(function (id) {
      show(id, null);
    });
  }

  // ---- what the task says ----------------------------------------------------------------------

  function addLine(line) {
    var list = byId('log');
    var item = document.createElement('li');
    item.textContent = spelled(line);
    show('log-title', 'Log');
    list.hidden = false;
    list.appendChild(item);
    if (list.childNodes.length > MOST_LINES) {
      list.removeChild(list.firstChild);
    }
  }

  function showProgress(message) {
    var percent = typeof message.percent === 'number' ? Math.round(message.percent) + ' %' : '';
    var note = message.note === undefined ? '' : message.note;
    show('progress', 'Progress: ' + percent + (percent && note ? ', ' : '') + note);
  }

  function ended(words) {
    show('state', words + ' after ' + seconds(now() - startedAt) + '. Nothing was recorded.');
    isRunning = false;
    button.disabled = false;
    button.textContent = 'Run it here once more';
  }

  function failed(message) {
    ended('Failed' + (message.retry === false ? ' (no worker would try it again)' : ''));
    show('outcome', 'Error');
    show('message', message.message + (message.code ? ' (' + message.code + ')' : ''));
    show('value', message.stack === undefined ? null : message.stack);
  }

  function told(message, value) {
    if (message.op === 'log') {
      addLine(message.line);
    } else if (message.op === 'progress') {
      showProgress(message);
    } else if (message.op === 'error') {
      failed(message);
    } else {
      ended('Succeeded');
      show('outcome', 'Result');
      show('value', value);
    }
  }

  // ---- the button ------------------------------------------------------------------------------

  function render() {
    var ms = now() - startedAt;
    if (isRunning) {
      show('state', 'Running for ' + seconds(ms) + (ms > offer.timeout_ms ?
        ': longer than a worker would let it (' + seconds(offer.timeout_ms) + ')' : '') +
        '. To stop it, close this tab.');
      setTimer.call(window, render, RENDER_MS);
    }
  }

  function run() {
    if (isRunning) {
      return;
    }
    clear();
    isRunning = true;
    button.disabled = true;
    startedAt = now();
    render();
    window.Pagehand.tryTask(byId('offer').textContent, limit, told);
  }

  // ---- the task's file -------------------------------------------------------------------------

  function note(event) {
    fault = fault || event.message || '';
  }

  function loaded() {
    window.removeEventListener('error', note, false);
    if (window.Pagehand.tasks().indexOf(type) < 0) {
      show('state', 'The file of the task does not work: ' +
        (fault || 'it does not register "' + type + '"') + '.');
      return;
    }
    show('state', 'The task is loaded. It has not run.');
    button.disabled = false;
  }

  function load() {
    var script = document.createElement('script');
    script.onload = loaded;
    script.onerror = function () {
      show('state', 'The file of the task could not be loaded. Load this page again.');
    };
    script.src = trial.getAttribute('data-file');
    document.body.appendChild(script);
  }

  /** As on the worker page: there nobody may be to answer. */
  ['alert', 'confirm', 'prompt'].forEach(function (name) {
    window[name] = function () {
      throw new Error(name + ' would block the worker page until somebody answers it');
    };
  });
  window.addEventListener('error', note, false);
  window.Pagehand.hostCall = JSON.parse(trial.getAttribute('data-host-call'));
  offer = window.Pagehand.readMessage(byId('offer').textContent);
  button.onclick = run;
  show('state', 'Loading the task\u2026');
  load();
}(window, document));
