/**
 * The worker page: reads its address, loads the tasks, starts a worker and shows how it is.
 *
 *   /worker?types=a,b&name=FRONT-DESK-07&slots=1&labels=site:berlin,printer:zebra#token=...
 *
 * Without `types` it offers every task of tasks/index.json except host-call, which reaches into the
 * program around the browser and must be asked for by name.
 */
(function (window, document) {
  'use strict';

  var BASE = String(window.location.pathname || '').replace(/\/worker\/?$/, '');
  //: Old document modes have no location.origin.
  var ORIGIN = window.location.protocol + '//' + window.location.host;
  var ASKED_ONLY = ['host-call'];
  var RENDER_MS = 1000;
  var RETRY_MAX_MS = 30000;
  var LOAD_MS = 15000;
  var MEND_MS = 60000;
  //: A task may put something else in its place.
  var setTimer = window.setTimeout;

  var FACES = {
    connecting: { shape: '\u25cb', word: 'CONNECTING' },
    ready: { shape: '\u25cf', word: 'READY' },
    working: { shape: '\u25ba', word: 'WORKING' },
    paused: { shape: '\u25ae\u25ae', word: 'PAUSED' },
    reconnecting: { shape: '\u25b2', word: 'RECONNECTING' },
    not_allowed: { shape: '\u00d7', word: 'NOT ALLOWED' },
    out_of_date: { shape: '\u25c6', word: 'OUT OF DATE' },
    maintenance: { shape: '\u25bc', word: 'SERVER MAINTENANCE' },
    stopped: { shape: '\u25a0', word: 'STOPPED' }
  };

  var worker = null;
  var trouble = '';     // the trouble before there was a worker, in words
  var files = null;     // what loads the task files
  var retryAt = null;
  var retries = 0;
  var mendAt = 0;

  function noop() {}

  function byId(id) {
    return document.getElementById(id);
  }

  /** Only what has changed is written: a person may be selecting text. */
  function show(id, text) {
    var element = byId(id);
    if (element.textContent !== text) {
      element.textContent = text;
    }
  }

  function toggle(id, visible) {
    byId(id).className = visible ? '' : 'off';
  }

  function now() {
    return new Date().getTime();
  }

  // ---- the address -----------------------------------------------------------------------------

  function query(name) {
    var found = new RegExp('[?&]' + name + '=([^&]*)').exec(window.location.search);
    if (!found) {
      return '';
    }
    try {
      return decodeURIComponent(found[1].replace(/\+/g, ' '));
    } catch (e) {
      return found[1];
    }
  }

  function wantedTypes() {
    return query('types').split(/[\s,]+/).filter(function (name) { return name !== ''; });
  }

  // ---- the tasks -------------------------------------------------------------------------------

  function words(code, detail) {
    var text = window.Pagehand.CODES[code];
    // No pattern: a detail may hold what replace takes for one.
    return (detail ? text.split('.')[0] + ': ' + detail + '.' : text) + ' (' + code + ')';
  }

  function getJson(url, done) {
    var xhr = new window.XMLHttpRequest();
    xhr.open('GET', url + '?t=' + now().toString(36), true);
    xhr.timeout = LOAD_MS;  // not before open(), or Internet Explorer throws
    xhr.onreadystatechange = function () {
      var value = null;
      var why = '';
      if (xhr.readyState !== 4) {
        return;
      }
      try {
        why = xhr.status ? window.Pagehand.Engine.said(xhr.status, xhr.responseText) : 'no answer';
        value = xhr.status === 200 ? JSON.parse(xhr.responseText) : null;
      } catch (e) {
        value = null;
      }
      done(value, why);
    };
    xhr.send(null);
  }

  function loadTasks(index, done) {
    var wanted = wantedTypes();
    var names = index.tasks.map(function (item) { return item.name; });
    var chosen = names.filter(function (name) {
      return wanted.length ? wanted.indexOf(name) >= 0 : ASKED_ONLY.indexOf(name) < 0;
    });
    var unknown = wanted.filter(function (name) { return names.indexOf(name) < 0; });
    if (unknown.length) {
      trouble = words('E-TYP-02', unknown.join(', '));
    }
    window.Pagehand.hostCall = index.host_call || [];
    files.load(chosen, done);
    return chosen.length;
  }

  function loadIndex() {
    retryAt = null;
    getJson(BASE + '/tasks/index.json', function (index, why) {
      var wait;
      if (index && index.tasks) {
        trouble = '';
        if (!loadTasks(index, start)) {
          render();
        }
        return;
      }
      retries += 1;
      wait = Math.min(RETRY_MAX_MS, 1000 * Math.pow(2, retries)) * (0.5 + Math.random() / 2);
      trouble = words('E-NET-11', why.replace(/\.$/, ''));
      retryAt = now() + wait;
      setTimer.call(window, loadIndex, wait);
      render();
    });
  }

  function start() {
    worker = new window.Pagehand.Worker({
      url: BASE,
      storageKey: 'pagehand' + BASE,  // another server may stand under another path of this site
      name: query('name'),
      slots: Number(query('slots')) || 1,
      labels: query('labels')
    });
    worker.on('status', render);
    worker.start();
    byId('pause').disabled = false;
    byId('reconnect').disabled = false;
    byId('copy').disabled = false;
  }

  // ---- what a person sees ----------------------------------------------------------------------

  function two(number) {
    return (number < 10 ? '0' : '') + number;
  }

  function clock(ms) {
    var date = new Date(ms);
    return two(date.getHours()) + ':' + two(date.getMinutes()) + ':' + two(date.getSeconds());
  }

  function seconds(ms) {
    return Math.max(0, Math.round(ms / 1000)) + ' s';
  }

  function shortId(id) {
    return id.length > 16 ? '\u2026' + id.slice(-8) : id;
  }

  function jobText(job) {
    var text = job.type + ' ' + shortId(job.id);
    if (job.startedAt !== null) {
      text += ', since ' + clock(job.startedAt);
    }
    if (job.number > 1) {
      text += ', try ' + job.number;
    }
    if (job.percent !== null) {
      text += ', ' + Math.round(job.percent) + '\u00a0%';
    }
    if (job.note) {
      text += ', ' + job.note;
    }
    return text + (job.cancelled ? ' (cancelled, still running)' : '');
  }

  function labelsText(status) {
    var good = Object.keys(status.labels).map(function (key) {
      return key + ':' + status.labels[key];
    });
    var text = good.join(', ') || (worker ? 'none' : '-');
    var bad = status.badLabels.join(', ');
    return bad ? text + ' \u00b7 not sent: ' + bad : text;
  }

  function retryText(status) {
    return status.retryMs === null ? 'Trying now, attempt ' + Math.max(1, status.failures) :
      'Retry in ' + Math.ceil(status.retryMs / 1000) + ' s, attempt ' + status.failures;
  }

  function errorText(error) {
    var text = '';
    if (!error) {
      return 'none';
    }
    // A function, because a detail may hold what replace takes for a pattern.
    text = error.detail ?
      error.text.replace(/\.$/, function () { return ': ' + error.detail; }) : error.text;
    return error.code ? text + ' (' + error.code + ', ' + clock(error.at) + ')' : text;
  }

  /** What was wrong from the start stays in sight. */
  function lastError(status) {
    var texts = worker && trouble ? [trouble] : [];
    if (files.faulty().length) {
      texts.push(faultyText());
    }
    return texts.concat(status.error || !texts.length ? [errorText(status.error)] : [])
      .join(' \u00b7 ');
  }

  function faultyText() {
    return words('E-TSK-01', files.faulty().join('; '));
  }

  function notAllowedText(status) {
    return status.refusal ?
      'The server refuses this page because of its address. It says: ' + status.refusal + ' ' :
      'The token of this page is missing or wrong. Open the page again with #token=\u2026 at the ' +
      'end of its address. Write % as %25, & as %26 and # as %23 there; all else as it is. ';
  }

  function detailText(status) {
    switch (status.state) {
      case 'ready': return 'Waiting for jobs. Leave this page open.';
      case 'working': return status.jobs.map(jobText).join(' \u00b7 ') +
        (status.paused ? ' \u00b7 pauses after this' : '');
      case 'paused': return 'Takes no jobs until somebody presses Resume.';
      case 'connecting': return 'Looking for the server\u2026';
      case 'reconnecting': return retryText(status) + '. ' +
        (status.error ? status.error.text : '');
      case 'not_allowed': return notAllowedText(status) + retryText(status) + '.';
      case 'out_of_date': return 'This page does not fit the server. Load it again (Ctrl+F5). ' +
        retryText(status) + '.';
      case 'maintenance': return 'The server is being restarted. ' +
        (status.registered ? 'Running jobs are finished first.' : retryText(status) + '.');
      default: return (files.faulty().length ? faultyText() + ' ' : '') +
        (status.error ? status.error.text : 'This page takes no jobs.');
    }
  }

  /** Before there is a worker. */
  function early() {
    return {
      state: retryAt === null ? (trouble ? 'stopped' : 'connecting') : 'reconnecting',
      retryMs: retryAt === null ? null : Math.max(0, retryAt - now()),
      failures: retries,
      error: trouble ? { code: '', text: trouble, detail: '', at: now() } : null,
      name: query('name'), labels: {}, badLabels: [], paused: false, jobs: [], since: null,
      heardMs: null, done: 0, failed: 0, registered: false
    };
  }

  function render() {
    var status = worker ? worker.status() : early();
    var face = FACES[status.state];
    var name = status.name || query('name');
    var title = face.word + (name ? ' - ' + name : '') + ' - Pagehand';
    byId('page').className = status.state;
    show('shape', face.shape);
    show('word', face.word);
    show('detail', detailText(status));
    if (document.title !== title) {
      document.title = title;
    }
    show('name', name || '-');
    show('labels', labelsText(status));
    show('server', ORIGIN + BASE);
    show('since', status.since === null ? 'no' : 'since ' + clock(status.since));
    show('contact', status.heardMs === null ? '' :
      '\u00b7 last contact ' + seconds(status.heardMs) + ' ago');
    show('job', status.jobs.length ? status.jobs.map(jobText).join(' \u00b7 ') : 'none');
    show('today', status.done + ' done, ' + status.failed + ' failed' +
      (status.unreported ? ', ' + status.unreported + ' not yet recorded' : ''));
    show('error', lastError(status));
    toggle('pause', !status.paused);
    toggle('resume', status.paused);
  }

  /** A task has thrown away what is shown: the page is loaded anew as soon as that loses no job. */
  function mend() {
    var status = worker ? worker.status() : null;
    if (status && !status.jobs.length && !status.unreported && now() >= mendAt) {
      mendAt = now() + MEND_MS;
      worker.reload();
    }
  }

  function renderForEver() {
    setTimer.call(window, renderForEver, RENDER_MS);
    try {
      render();
    } catch (e) {
      mend();
    }
  }

  /** These hold the page until somebody presses a button, and nobody may be there. */
  function forbidDialogs() {
    ['alert', 'confirm', 'prompt'].forEach(function (name) {
      window[name] = function () {
        throw new Error(name + ' would block the worker page until somebody answers it');
      };
    });
  }

  // ---- the report ------------------------------------------------------------------------------

  function reportText() {
    var status = worker.status();
    var lines = [
      'Pagehand worker page, library ' + status.version + ', ' + new Date().toString(),
      'State: ' + FACES[status.state].word + ', ' + detailText(status),
      'Name: ' + status.name + ' (worker ' + (status.worker || 'unknown') + ')',
      'Labels: ' + labelsText(status),
      'Server: ' + ORIGIN + BASE,
      'Types: ' + status.types.join(', '),
      'Today: ' + status.done + ' done, ' + status.failed + ' failed, ' +
        status.unreported + ' not recorded',
      'Last error: ' + lastError(status),
      'Browser: ' + window.navigator.userAgent,
      'Document mode: ' + (document.documentMode || 'not Internet Explorer') +
        ', storage: ' + (status.page.storage ? 'yes' : 'no')
    ];
    status.events.forEach(function (event) {
      lines.push(clock(event.at) + ' ' + event.text);
    });
    return lines.join('\r\n');
  }

  /** execCommand works without HTTPS; where it is forbidden the text can be copied by hand. */
  function copyReport() {
    var box = byId('report');
    var copied = false;
    box.value = reportText();
    box.className = '';
    box.focus();
    box.select();
    try {
      copied = document.execCommand('copy');
    } catch (e) {
      copied = false;
    }
    show('copied', copied ? 'Copied.' : 'Press Ctrl+C to copy.');
  }

  // ---- start -----------------------------------------------------------------------------------

  if (window.pagehandTooOld) {
    return;
  }
  byId('pause').onclick = function () { worker.pause(); };
  byId('resume').onclick = function () { worker.resume(); };
  byId('reconnect').onclick = function () { worker.reconnect(); };
  byId('copy').onclick = copyReport;
  window.addEventListener('hashchange', function () {
    if (window.location.hash.indexOf('token=') >= 0) {
      window.location.reload();
    }
  }, false);
  files = window.pagehandFiles(BASE);
  forbidDialogs();
  loadIndex();
  renderForEver();
}(window, document));
