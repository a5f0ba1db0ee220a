/**
 * The worker page: reads its address, loads the tasks, starts a worker and shows how it is.
 *
 *   /worker?types=a,b&name=FRONT-DESK-07&slots=1&labels=site:berlin#token=...
 *   /worker?transport=auto (or polling, or websocket)
 *   /worker?lang=de (or en; without it, the browser's language)
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

  //: Every text stands in the catalogue of words.js.
  var t = window.pagehandText;
  var FACES = {
    connecting: { shape: '\u25cb', word: t('CONNECTING') },
    ready: { shape: '\u25cf', word: t('READY') },
    working: { shape: '\u25ba', word: t('WORKING') },
    stuck: { shape: '!', word: t('STUCK') },
    paused: { shape: '\u25ae\u25ae', word: t('PAUSED') },
    reconnecting: { shape: '\u25b2', word: t('RECONNECTING') },
    not_allowed: { shape: '\u00d7', word: t('NOT ALLOWED') },
    out_of_date: { shape: '\u25c6', word: t('OUT OF DATE') },
    maintenance: { shape: '\u25bc', word: t('SERVER MAINTENANCE') },
    stopped: { shape: '\u25a0', word: t('STOPPED') }
  };

  var say = window.pagehandWords;
  //: What it says must be read before the worker takes the token away from it.
  var address = window.pagehandAddress(window.location.search || '', window.location.hash || '');
  var worker = null;
  var trouble = null;   // {code, text}: the trouble before there was a worker
  var openedAt = now();
  var versions = {};    // of the task files, by type, as they were named before they were loaded
  var files = null;     // what loads the task files
  var question = null;  // what asks about jobs in doubt
  var test = null;      // what tests the connection
  var tested = '';      // what it has found, in short
  var retryAt = null;
  var retries = 0;
  var mendAt = 0;

  function noop() {}

  function byId(id) {
    return document.getElementById(id);
  }

  /** A mark that would turn the direction of text is shown, as in the console, and not obeyed. */
  function spelled(text) {
    return String(text).replace(/[\u202a-\u202e\u2066-\u2069]/g, function (mark) {
      return '[U+' + mark.charCodeAt(0).toString(16).toUpperCase() + ']';
    });
  }

  /** Only what has changed is written: a person may be selecting text. */
  function write(element, text) {
    text = spelled(text);
    if (element.textContent !== text) {
      element.textContent = text;
    }
  }

  function show(id, text) {
    write(byId(id), text);
  }

  function now() {
    return new Date().getTime();
  }

  // ---- the tasks -------------------------------------------------------------------------------

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
        why = xhr.status ? window.Pagehand.Engine.said(xhr.status, xhr.responseText) :
          t('no answer');
        value = xhr.status === 200 ? JSON.parse(xhr.responseText) : null;
      } catch (e) {
        value = null;
      }
      done(value, why);
    };
    xhr.send(null);
  }

  function loadTasks(index, done) {
    var wanted = address.types;
    var names = index.tasks.map(function (item) { return item.name; });
    var chosen = names.filter(function (name) {
      return wanted.length ? wanted.indexOf(name) >= 0 : ASKED_ONLY.indexOf(name) < 0;
    });
    var faulty = files.note(index.not_offered || [], wanted, names);
    var unknown = wanted.filter(function (name) {
      return names.indexOf(name) < 0 && faulty.indexOf(name) < 0;
    });
    if (unknown.length) {
      trouble = say.troubleOf('E-TYP-02', unknown.join(', '));
    } else if (!chosen.length) {
      trouble = faulty.length ?
        { code: 'E-TSK-01', text: t.known(window.Pagehand.CODES['E-TYP-01']) } :
        say.troubleOf('E-TYP-01');
    }
    // A file that changes in this moment counts as the old one: the page is told to load anew.
    index.tasks.forEach(function (item) { versions[item.name] = item.version; });
    window.Pagehand.hostCall = index.host_call || [];
    files.load(chosen, done, names, mention);
    return chosen.length;
  }

  function loadIndex() {
    retryAt = null;
    getJson(BASE + '/tasks/index.json', function (index, why) {
      var wait;
      if (index && index.tasks) {
        trouble = null;
        if (!loadTasks(index, start)) {
          render();
        }
        return;
      }
      retries += 1;
      wait = Math.min(RETRY_MAX_MS, 1000 * Math.pow(2, retries)) * (0.5 + Math.random() / 2);
      trouble = say.troubleOf('E-NET-11', why.replace(/\.$/, ''));
      retryAt = now() + wait;
      setTimer.call(window, loadIndex, wait);
      render();
    });
  }

  function start() {
    worker = new window.Pagehand.Worker({
      url: BASE,
      storageKey: 'pagehand' + BASE,  // another server may stand under another path of this site
      types: files.offered(),
      name: address.name,
      slots: address.slots,
      labels: address.labels,
      versions: versions,
      transport: address.transport
    });
    worker.on('status', render);
    mention();
    worker.start();
  }

  /** The server is told what was wrong, or found, also before there was a worker. */
  function mention() {
    if (worker) {
      worker.unloaded(files.unloaded());
    }
    if (worker && tested) {
      worker.mention('connection_test', tested);
    }
  }

  // ---- what a person sees ----------------------------------------------------------------------

  /** What was wrong from the start stays in sight. */
  function lastError(status) {
    var texts = worker && trouble ? [trouble.text] : [];
    if (address.bad.length) {
      texts.push(say.codeText('E-ADR-01', address.bad.join('; ')) + '. ' + whose('E-ADR-01'));
    }
    if (files.faulty().length) {
      texts.push(faultyText() + '. ' + whose('E-TSK-01'));
    }
    return texts.concat(status.error || !texts.length ? [say.errorText(status.error)] : [])
      .join(' \u00b7 ');
  }

  function faultyText() {
    return files.faulty().length ? say.codeText('E-TSK-01', files.faulty().join('; ')) : '';
  }

  /** Before there is a worker. */
  function early() {
    var error = trouble && {
      code: '', text: trouble.text, detail: '', at: now(),
      whose: window.Pagehand.blame(trouble.code)
    };
    return {
      state: retryAt === null ? (trouble ? 'stopped' : 'connecting') : 'reconnecting',
      retryMs: retryAt === null ? null : Math.max(0, retryAt - now()),
      failures: retries,
      error: error,
      standing: trouble && { code: trouble.code, since: openedAt },
      name: address.name, labels: {}, sentLabels: {}, badLabels: [], paused: false, hold: null,
      jobs: [], since: null,
      heardMs: null, done: 0, failed: 0, past: [], slowness: null, unreported: 0, registered: false,
      otherWindow: null,
      connection: null, doubt: null,
      version: window.Pagehand.version, worker: null, types: [], events: [], page: null
    };
  }

  function snapshot() {
    return worker ? worker.status() : early();
  }

  function whose(code) {
    return t.known(window.Pagehand.blame(code));
  }

  /** What was wrong from the start is worth a call, even if the page works. */
  function lasting(status) {
    var code = address.bad.length ? 'E-ADR-01' : files.faulty().length ? 'E-TSK-01' : '';
    return status.standing || !code ? status.standing : { code: code, since: openedAt };
  }

  function aloud(status) {
    return say.aloudText({ standing: lasting(status), failures: status.failures },
      status.name || address.name);
  }

  /**
   * A page that has stopped without an order of the server lacks tasks. These come with a load, and
   * the server, which has just answered, is there for it.
   */
  function reconnect() {
    if (!worker || (worker.status().registered && worker.status().state === 'stopped')) {
      window.location.reload();
    } else {
      worker.reconnect();
    }
  }

  function render() {
    var status = snapshot();
    var face = FACES[status.state];
    var name = status.name || address.name;
    var title = spelled(face.word + (name ? ' - ' + name : '') + ' - Pagehand');
    byId('page').className = status.state;
    show('shape', face.shape);
    show('word', face.word);
    show('detail', say.detailText(status, faultyText()));
    show('aloud', aloud(status));
    if (document.title !== title) {
      document.title = title;
    }
    show('name', name || '-');
    show('labels', say.labelsText(status, !!worker));
    show('server', ORIGIN + BASE);
    show('slowness', say.slownessText(status));
    show('since', status.since === null ? t('no|connected') :
      t('since {time}', { time: say.clock(status.since) }));
    show('contact', status.heardMs === null ? '' : '\u00b7 ' +
      t('last contact {seconds} s ago',
        { seconds: Math.max(0, Math.round(status.heardMs / 1000)) }));
    show('connection', say.connectionText(status.connection));
    question(status.doubt);
    show('job', status.jobs.length ? say.jobsText(status) : t('none|job'));
    show('today', t('{done} done, {failed} failed', status) +
      (status.unreported ? ', ' + t('{unreported} not yet recorded', status) : ''));
    show('past', say.pastText(status, '\n'));
    show('error', lastError(status));
    // One button: a button that goes away takes the keyboard's focus with it.
    show('pause', say.resumes(status) ? t('Resume') : t('Pause after this job'));
    byId('pause').disabled = !worker || status.state === 'stopped';
    byId('reconnect').disabled = !worker && status.state !== 'stopped';
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
    var status = snapshot();
    var lines = [
      t('Pagehand worker page') + ', ' + t('library {version}', status) + ', ' +
        new Date().toString(),
      t('State') + ': ' + FACES[status.state].word + ', ' + say.detailText(status, faultyText()) +
        ' ' + say.slownessText(status),
      aloud(status) || t('Nothing is wrong at this moment.'),
      t('Name') + ': ' + status.name + ' (' + t('worker') + ' ' +
        (status.worker || t('unknown')) + ')',
      t('Labels') + ': ' + say.labelsText(status, !!worker),
      t('Server') + ': ' + ORIGIN + BASE,
      t('Connection') + ': ' + say.connectionText(status.connection),
      t('Types') + ': ' + status.types.join(', '),
      t('Today') + ': ' + t('{done} done, {failed} failed', status) + ', ' +
        t('{unreported} not yet recorded', status),
      t('Last jobs') + ': ' + say.pastText(status, '\r\n  '),
      t('Last error') + ': ' + lastError(status),
      t('Browser') + ': ' + window.navigator.userAgent,
      t('Document mode') + ': ' + (document.documentMode || t('not Internet Explorer')) + ', ' +
        t('storage') + ': ' + (status.page ? (status.page.storage ? t('yes') : t('no|storage')) :
        t('not known yet'))
    ].concat(test.report());
    status.events.forEach(function (event) {
      lines.push(say.clock(event.at) + ' ' + event.text);
    });
    return lines.join('\r\n');
  }

  /** execCommand works without HTTPS; where it is forbidden the text can be copied by hand. */
  function copyReport() {
    var box = byId('report');
    var copied = false;
    box.value = spelled(reportText());
    box.className = '';
    box.focus();
    box.select();
    try {
      copied = document.execCommand('copy');
    } catch (e) {
      copied = false;
    }
    show('copied', copied ? t('Copied.') : t('Press Ctrl+C to copy.'));
  }

  /** What stands in the page itself. */
  function translate() {
    [].forEach.call(document.querySelectorAll('[data-text]'), function (element) {
      write(element, t(element.textContent));
    });
    [].forEach.call(document.querySelectorAll('[aria-label]'), function (element) {
      element.setAttribute('aria-label', t(element.getAttribute('aria-label')));
    });
  }

  // ---- start -----------------------------------------------------------------------------------

  if (window.pagehandTooOld) {
    return;
  }
  translate();
  byId('pause').onclick = function () {
    if (say.resumes(worker.status())) {
      worker.resume();
    } else {
      worker.pause();
    }
  };
  byId('reconnect').onclick = reconnect;
  byId('copy').onclick = copyReport;
  byId('copy').disabled = false;
  test = window.pagehandTest(BASE, write, function (text) {
    tested = text;
    mention();
  });
  question = window.pagehandQuestion(write, function (attempt, happened) {
    worker.answer(attempt, happened);
  });
  window.addEventListener('hashchange', function () {
    if (/(token|join)=/.test(window.location.hash)) {
      window.location.reload();
    }
  }, false);
  files = window.pagehandFiles(BASE);
  forbidDialogs();
  loadIndex();
  renderForEver();
}(window, document));
