/** What the worker page says, made from a worker's status. It writes nothing itself. */
(function (window) {
  'use strict';

  function two(number) {
    return (number < 10 ? '0' : '') + number;
  }

  function minute(ms) {
    var date = new Date(ms);
    return two(date.getHours()) + ':' + two(date.getMinutes());
  }

  function clock(ms) {
    return minute(ms) + ':' + two(new Date(ms).getSeconds());
  }

  function shortId(id) {
    return id.length > 16 ? '\u2026' + id.slice(-8) : id;
  }

  function hangingText(job) {
    return ' (' + job.over + ' at ' + clock(job.cancelledAt) + ', but its task is still running' +
      (job.reloadAt === null ? ')' :
        '; if it does not stop, this page reloads at ' + clock(job.reloadAt) + ')');
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
    return text + (job.cancelled ? hangingText(job) : '');
  }

  function jobsText(status) {
    return status.jobs.map(jobText).join(' \u00b7 ');
  }

  function labelsText(status, running) {
    var good = Object.keys(status.labels).map(function (key) {
      return key + ':' + status.labels[key];
    });
    var text = good.join(', ') || (running ? 'none' : '-');
    var bad = status.badLabels.join(', ');
    return bad ? text + ' \u00b7 not sent: ' + bad : text;
  }

  /** "tomorrow at 14:05": a day is all that a page ever waits with a WebSocket. */
  function dayAndMinute(ms) {
    var today = new Date().toDateString() === new Date(ms).toDateString();
    return (today ? 'today' : 'tomorrow') + ' at ' + minute(ms);
  }

  /** How the page talks with the server, and why not better; '-' while it does not. */
  function connectionText(connection) {
    if (!connection) {
      return '-';
    }
    if (connection.transport === 'websocket') {
      return 'WebSocket';
    }
    return 'long-polling' + (connection.reason ? ', because ' + connection.reason : '') +
      (connection.until === null ? '' :
        '; tries a WebSocket again ' + dayAndMinute(connection.until));
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

  function blame(error) {
    return error && error.whose ? ' ' + error.whose : '';
  }

  function goneText(status) {
    var since = status.standing ? minute(status.standing.since) : '';
    return (since ? 'The server has not answered since ' + since + '. ' : '') +
      retryText(status) + '. ' + (status.error ? status.error.text : '') + blame(status.error);
  }

  /** A page without a token, with a wrong one and with one that has ended need different help. */
  function tokenText(status) {
    if (status.standing && status.standing.code === 'E-TOK-01') {
      return 'The server needs a token, and this page has none. Open the page with #token=\u2026 ' +
        'at the end of its address. Whoever runs the server knows the token. ';
    }
    if (status.standing && status.standing.code === 'E-TOK-03') {
      return 'The token of this page was revoked or has expired. Ask whoever runs the server ' +
        'for a new one, and open the page with #token=\u2026 or #join=\u2026 at the end of its ' +
        'address, as you were told. ';
    }
    if (status.standing && status.standing.code === 'E-TOK-05') {
      return 'As many pages have joined as may, so this one cannot. Ask whoever runs the server ' +
        'for a new address of this page, with #join=\u2026 at its end. ';
    }
    if (status.standing && status.standing.code === 'E-TOK-06') {
      return 'Another window of this browser is this worker. Close this window, or open it with ' +
        'an address for joining, #join=\u2026, so that it becomes a worker of its own. ';
    }
    if (status.standing && status.standing.code === 'E-TOK-04') {
      return 'Too many wrong tokens have come from where this page is, so the server looks at ' +
        'none for a while. A token that was made for this page would be taken. ';
    }
    return 'The token of this page is wrong. Open the page again with the right #token=\u2026 ' +
      '(or #join=\u2026) at the end of its address. Write % as %25, & as %26 and # as %23 there; ' +
      'all else as it is. ';
  }

  function notAllowedText(status) {
    if (status.standing && status.standing.code === 'E-BLK-01') {
      return 'The server turns this page away: ' + (status.error ? status.error.detail : '') +
        '. ' + retryText(status) + '.';
    }
    return (status.refusal ?
      'The server refuses this page because of its address. It says: ' + status.refusal + ' ' :
      tokenText(status)) + retryText(status) + '.' + blame(status.error);
  }

  /** What stands wrong while the page works all the same, and whose fault it is. */
  function besidesText(status) {
    var standing = status.standing;
    return (standing && standing.code ? ' ' + standing.text + ' ' + standing.whose : '') +
      otherText(status);
  }

  function otherText(status) {
    return status.otherWindow === null ? '' : ' Another window of this browser is the worker ' +
      (status.otherWindow || 'of this page') + ' already; this window is a second one. ' +
      'Close one of the two if that is not wanted.';
  }

  function withMore(text, more) {
    return more ? text + '.' + more : text;
  }

  function workText(status) {
    return jobsText(status) + (status.hold && status.hold.leave ? ' \u00b7 stops after this' :
      status.paused || status.hold ? ' \u00b7 pauses after this' : '') +
      (status.hold ? ' (' + holdText(status) + ')' : '');
  }

  /** "paused by ann: lunch" */
  function holdText(status) {
    var hold = status.hold;
    return 'paused by ' + (hold.by || 'an operator') + (hold.reason ? ': ' + hold.reason : '');
  }

  function pausedText(status) {
    if (!status.hold) {
      return 'Takes no jobs until somebody presses Resume.' + besidesText(status);
    }
    return 'Takes no jobs: ' + holdText(status) + '. Only an operator of the server can end that.' +
      (status.paused ? ' It is paused here as well.' : '') + besidesText(status);
  }

  function detailText(status, faulty) {
    switch (status.state) {
      case 'ready': return 'Waiting for jobs. Leave this page open.' + besidesText(status);
      case 'working': return withMore(workText(status), besidesText(status));
      case 'paused': return pausedText(status);
      case 'connecting': return 'Looking for the server\u2026';
      case 'reconnecting': return goneText(status);
      case 'not_allowed': return notAllowedText(status);
      case 'out_of_date': return 'This page does not fit the server. Load it again (Ctrl+F5). ' +
        retryText(status) + '.' + blame(status.error);
      case 'maintenance': return 'The server is being restarted. Nothing is wrong with this PC. ' +
        (status.registered ? 'Running jobs are finished first.' : retryText(status) + '.');
      default: return (faulty ? faulty + ' ' : '') +
        (status.hold ? 'This page takes no jobs: ' + holdText(status) + '.' :
          status.error ? status.error.text + blame(status.error) : 'This page takes no jobs.');
    }
  }

  /**
   * One line to read aloud by telephone: name, code, since when; '' while nothing is wrong. The
   * six letters say the same to whoever types them in. `word` stands for trouble without a code.
   */
  function aloudText(status, name, word) {
    var standing = status.standing;
    var spoken = '';
    if (!standing) {
      return '';
    }
    spoken = window.pagehandSpoken(standing.code, standing.since, status.failures || 0);
    return 'Tell the helpdesk: ' + (name || 'a page without a name') + ', ' +
      (standing.code || word) + ', since ' + minute(standing.since) + '.' +
      (spoken ? ' Or just: ' + spoken + '.' : '');
  }

  // ---- jobs in doubt ---------------------------------------------------------------------------

  var ANSWERED = {
    telling: ['The server hears: no\u2026', 'The server hears: yes\u2026'],
    noted: ['Thank you. It is done again.', 'Thank you. It counts as done.'],
    decided: ['Somebody has decided it already.', 'Somebody has decided it already.']
  };

  /** Below the question: what an answer means, or what became of it. */
  function doubtText(doubt) {
    var text = doubt.state === 'asked' ?
      'This page was lost while it did that. Yes: it counts as done. No: it is done again.' :
      ANSWERED[doubt.state][doubt.happened ? 1 : 0];
    return text + (doubt.more ? ' Questions that follow: ' + doubt.more + '.' : '');
  }

  // ---- the test of the connection --------------------------------------------------------------

  var TESTED = {
    server: 'Server',
    sending: 'Sending',
    waiting: 'Waiting',
    socket: 'WebSocket',
    clock: 'Clock',
    storage: 'Storage'
  };
  var MARKS = { fine: '\u2714', wrong: '\u2718', testing: '\u2026', untested: '\u2013' };
  var WORDS = { fine: 'OK', wrong: 'NO', testing: 'testing \u2026', untested: 'not tested' };
  var SKIPPED = {
    server: 'because the server does not answer',
    busy: 'because many pages test their connections just now. Try again in a minute',
    stopped: 'because the test was stopped',
    polling: 'because this server refuses WebSocket'
  };

  function kilobytes(bytes) {
    return Math.round(bytes / 1024) + ' kB';
  }

  /** "12 s", "3 min", "5 h", "2 days" */
  function span(ms) {
    var seconds = Math.round(ms / 1000);
    return seconds < 120 ? seconds + ' s' : seconds < 7200 ? Math.round(seconds / 60) + ' min' :
      seconds < 172800 ? Math.round(seconds / 3600) + ' h' : Math.round(seconds / 86400) + ' days';
  }

  /** A reason as the end of a sentence. */
  function ended(why) {
    return why.replace(/\.$/, '') + '.';
  }

  function sendingText(line) {
    if (line.state === 'fine') {
      return kilobytes(line.bytes) + ' come through, as much as the server takes.';
    }
    return line.bytes ? kilobytes(line.bytes) + ' come through, ' + kilobytes(line.failed) +
      ' do not: ' + ended(line.why) +
      ' Something on the way refuses large messages, probably a proxy.' :
      'Not even ' + kilobytes(line.failed) + ' comes through: ' + ended(line.why);
  }

  /** "after about 10 s", or why not even that is known. */
  function cutText(line) {
    return line.cutMs === null ? 'Longer ones are kept back: ' + ended(line.why) :
      'Longer ones are cut after about ' + span(line.cutMs) + '.';
  }

  function waitingText(line) {
    var through = line.longestS ? 'Requests may wait ' + line.longestS + ' s.' : '';
    if (line.state === 'fine') {
      return through + (line.why ? ' ' + cutText(line) + ' This page waits at most ' +
        span(line.pollMs) + '.' : '');
    }
    return (line.cutMs === null ?
      'Something on the way keeps back the answers to waiting requests: ' + ended(line.why) :
      window.Pagehand.CODES['E-NET-12'].replace(/,.*$/, '') + ' after about ' + span(line.cutMs) +
        ', probably a proxy (E-NET-12).') + (line.longestS ? ' ' + line.longestS +
        ' s come through.' : '');
  }

  function socketText(line) {
    return line.state === 'fine' ? 'It opens, and the server answers in ' + line.ms + ' ms.' :
      'There is none: ' + ended(line.why) + ' The page works without.';
  }

  function clockText(line) {
    return line.state === 'fine' ? 'This PC and the server tell the same time.' :
      'The clock of this PC is ' + span(Math.abs(line.aheadMs)) +
        (line.aheadMs > 0 ? ' ahead of' : ' behind') + ' the server\u2019s.';
  }

  function storageText(line) {
    return line.state === 'fine' ? 'This browser keeps what the page stores.' :
      'This browser keeps nothing in ' + (line.session ? '' : 'sessionStorage') +
        (line.session || line.local ? '' : ' and ') + (line.local ? '' : 'localStorage') + '.';
  }

  function serverText(line) {
    return line.state === 'fine' ? 'It answers in ' + line.ms + ' ms.' :
      'It does not answer: ' + ended(line.why);
  }

  var TEXTS = {
    server: serverText,
    sending: sendingText,
    waiting: waitingText,
    socket: socketText,
    clock: clockText,
    storage: storageText
  };

  /** How far something has come that is not over. */
  function soFarText(line) {
    return line.bytes ? ' ' + kilobytes(line.bytes) + ' come through so far.' :
      line.longestS ? ' ' + line.longestS + ' s come through so far.' : '';
  }

  /** One line of a test: "Sending: OK. 1088 kB come through, ..." */
  function testLine(line) {
    var start = TESTED[line.name] + ': ' + WORDS[line.state];
    if (line.state === 'testing') {
      return start + soFarText(line);
    }
    return line.state === 'untested' ? start + ', ' + SKIPPED[line.skipped] + '.' +
      soFarText(line) : start + '. ' + TEXTS[line.name](line);
  }

  function testMark(line) {
    return MARKS[line.state];
  }

  function count(lines, state) {
    return lines.filter(function (line) { return line.state === state; }).length;
  }

  function testTitle(lines, beganAt) {
    var start = 'Connection test at ' + minute(beganAt) + ': ';
    var wrong = count(lines, 'wrong');
    if (count(lines, 'testing')) {
      return start + 'it takes about a minute. The page goes on working.';
    }
    if (wrong || !count(lines, 'untested')) {
      return start + (wrong ? wrong + ' of ' + lines.length + ' not OK.' : 'all is OK.');
    }
    return start + 'not all was tested.';
  }

  /** What one line says in few words. */
  function shortText(line) {
    var detail = line.name === 'sending' && line.bytes ? ' ' + kilobytes(line.bytes) :
      line.name === 'waiting' && line.longestS ? ' ' + line.longestS + ' s' :
        line.name === 'server' && line.ms !== undefined ? ' ' + line.ms + ' ms' : '';
    if (line.cutMs) {
      detail += ' cut after ' + span(line.cutMs);
    }
    if (line.name === 'clock' && line.state === 'wrong') {
      detail = ' ' + span(Math.abs(line.aheadMs)) + (line.aheadMs > 0 ? ' ahead' : ' behind');
    }
    return TESTED[line.name].toLowerCase() + ' ' + WORDS[line.state] + detail;
  }

  /** A whole test in less than 200 characters, for people at the server. */
  function testShort(lines, beganAt) {
    var date = new Date(beganAt);
    return date.getFullYear() + '-' + two(date.getMonth() + 1) + '-' + two(date.getDate()) + ' ' +
      minute(beganAt) + ': ' + lines.map(shortText).join(', ');
  }

  window.pagehandWords = {
    aloudText: aloudText,
    clock: clock,
    connectionText: connectionText,
    detailText: detailText,
    doubtText: doubtText,
    errorText: errorText,
    jobsText: jobsText,
    labelsText: labelsText,
    testLine: testLine,
    testMark: testMark,
    testShort: testShort,
    testTitle: testTitle
  };
}(window));
