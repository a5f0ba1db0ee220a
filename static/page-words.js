/** What the worker page says, made from a worker's status. It writes nothing itself. */
(function (window) {
  'use strict';

  var STILL_SHOWN_MS = 600000;

  //: Every text stands in the catalogue of words.js.
  var t = window.pagehandText;

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
    var found = {
      over: t.known(job.over),
      time: clock(job.cancelledAt),
      reload: job.reloadAt === null ? '' : clock(job.reloadAt)
    };
    return ' (' + t('{over} at {time}, but its task is still running', found) +
      (found.reload ? '; ' + t('if it does not stop, this page reloads at {reload}', found) : '') +
      ')';
  }

  function jobText(job) {
    var text = job.type + ' ' + shortId(job.id);
    if (job.startedAt !== null) {
      text += ', ' + t('since {time}', { time: clock(job.startedAt) });
    }
    if (job.number > 1) {
      text += ', ' + t('try {number}', { number: job.number });
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

  /** What the browser does to the page, while it is so; '' as a rule. */
  function slownessText(status) {
    var seen = status.slowness || {};
    var still = seen.still && new Date().getTime() - seen.still.at < STILL_SHOWN_MS;
    return [
      seen.hiddenSince ?
        t('This page is in the background since {time}.', { time: minute(seen.hiddenSince) }) : '',
      seen.slowSince ? t('The timers of this page come late since {time}: the browser or the PC ' +
        'slows it down.', { time: minute(seen.slowSince) }) : '',
      still ? t('This page stood still for {seconds} s, until {time}.',
        { seconds: Math.round(seen.still.ms / 1000), time: clock(seen.still.at) }) : ''
    ].filter(function (text) { return text; }).join(' ');
  }

  var OUTCOMES = {
    done: t('done'),
    failed: t('failed'),
    cancelled: t('cancelled'),
    timed_out: t('timed out'),
    too_late: t('too late')
  };

  /** With the day, if it was not today. */
  function dayAndClock(ms) {
    var date = new Date(ms);
    return (date.toDateString() === new Date().toDateString() ? '' : date.getFullYear() + '-' +
      two(date.getMonth() + 1) + '-' + two(date.getDate()) + ' ') + clock(ms);
  }

  /** The last jobs, the newest first: when each ended, what it was, what became of it. */
  function pastText(status, between) {
    return status.past.map(function (job) {
      return dayAndClock(job.at) + ' ' + job.type + ' ' +
        (job.summary ? '(' + job.summary + ')' : shortId(job.id)) + ': ' +
        (OUTCOMES[job.outcome] || job.outcome) +
        (job.code ? ' (' + job.code + ')' : '');
    }).join(between) || '-';
  }

  /** Whether the page has labels that it does not say: an operator or its token has given them. */
  function isGiven(status) {
    return Object.keys(status.labels).some(function (key) {
      return status.labels[key] !== status.sentLabels[key];
    });
  }

  function labelsText(status, running) {
    var good = Object.keys(status.labels).map(function (key) {
      return key + ':' + status.labels[key];
    });
    var text = (good.join(', ') || (running ? t('none|labels') : '-')) +
      (isGiven(status) ? ' \u00b7 ' + t('given by the server') : '');
    var bad = status.badLabels.join(', ');
    return bad ? text + ' \u00b7 ' + t('not sent: {labels}', { labels: bad }) : text;
  }

  /** "tomorrow at 14:05": a day is all that a page ever waits with a WebSocket. */
  function dayAndMinute(ms) {
    var today = new Date().toDateString() === new Date(ms).toDateString();
    return today ? t('today at {time}', { time: minute(ms) }) :
      t('tomorrow at {time}', { time: minute(ms) });
  }

  /** How the page talks with the server, and why not better; '-' while it does not. */
  function connectionText(connection) {
    if (!connection) {
      return '-';
    }
    if (connection.transport === 'websocket') {
      return t('WebSocket');
    }
    return t('long-polling') + (connection.reason ? ', ' +
      t('because {reason}', { reason: t.known(connection.reason) }) : '') +
      (connection.until === null ? '' :
        '; ' + t('tries a WebSocket again {when}', { when: dayAndMinute(connection.until) }));
  }

  function retryText(status) {
    return status.retryMs === null ?
      t('Trying now, attempt {number}', { number: Math.max(1, status.failures) }) :
      t('Retry in {seconds} s, attempt {number}',
        { seconds: Math.ceil(status.retryMs / 1000), number: status.failures });
  }

  function errorText(error) {
    var text = '';
    if (!error) {
      return t('none|error');
    }
    text = t.known(error.text);
    // A function, because a detail may hold what replace takes for a pattern.
    text = error.detail ?
      text.replace(/\.$/, function () { return ': ' + error.detail; }) : text;
    return error.code ? text + ' (' + error.code + ', ' + clock(error.at) + ')' : text;
  }

  /** What a code says, perhaps with a detail in the place of its second half. */
  function codeText(code, detail) {
    var text = t.known(window.Pagehand.CODES[code]);
    // No pattern: a detail may hold what replace takes for one.
    return (detail ? text.split('.')[0] + ': ' + detail + '.' : text) + ' (' + code + ')';
  }

  function troubleOf(code, detail) {
    return { code: code, text: codeText(code, detail) };
  }

  function blame(error) {
    return error && error.whose ? ' ' + t.known(error.whose) : '';
  }

  function goneText(status) {
    var since = status.standing ? minute(status.standing.since) : '';
    return (since ? t('The server has not answered since {time}.', { time: since }) + ' ' : '') +
      retryText(status) + '. ' + (status.error ? t.known(status.error.text) : '') +
      blame(status.error);
  }

  /** A page without a token, with a wrong one and with one that has ended need different help. */
  function tokenText(status) {
    var code = status.standing ? status.standing.code : '';
    switch (code) {
      case 'E-TOK-01': return t('The server needs a token, and this page has none. Open the page ' +
        'with #token=\u2026 at the end of its address. Whoever runs the server knows the token.');
      case 'E-TOK-03': return t('The token of this page was revoked or has expired. Ask whoever ' +
        'runs the server for a new one, and open the page with #token=\u2026 or #join=\u2026 at ' +
        'the end of its address, as you were told.');
      case 'E-TOK-05': return t('As many pages have joined as may, so this one cannot. Ask ' +
        'whoever runs the server for a new address of this page, with #join=\u2026 at its end.');
      case 'E-TOK-06': return t('Another window of this browser is this worker. Close this ' +
        'window, or open it with an address for joining, #join=\u2026, so that it becomes a ' +
        'worker of its own.');
      case 'E-TOK-04': return t('Too many wrong tokens have come from where this page is, so the ' +
        'server looks at none for a while. A token that was made for this page would be taken.');
      default: return t('The token of this page is wrong. Open the page again with the right ' +
        '#token=\u2026 (or #join=\u2026) at the end of its address. Write % as %25, & as %26 and ' +
        '# as %23 there; all else as it is.');
    }
  }

  function notAllowedText(status) {
    if (status.standing && status.standing.code === 'E-BLK-01') {
      return t('The server turns this page away: {why}.',
        { why: status.error ? status.error.detail : '' }) + ' ' + retryText(status) + '.';
    }
    return (status.refusal ?
      t('The server refuses this page because of its address. It says: {why}',
        { why: status.refusal }) : tokenText(status)) + ' ' +
      retryText(status) + '.' + blame(status.error);
  }

  /** What stands wrong while the page works all the same, and whose fault it is. */
  function besidesText(status) {
    var standing = status.standing;
    return (standing ? ' ' + t.known(standing.text) + ' ' +
      t.known(standing.whose) : '') +
      otherText(status);
  }

  function otherText(status) {
    return status.otherWindow === null ? '' : ' ' + t('Another window of this browser is the ' +
      'worker {name} already; this window is a second one. Close one of the two if that is not ' +
      'wanted.', { name: status.otherWindow || t('of this page') });
  }

  function withMore(text, more) {
    return more ? text + '.' + more : text;
  }

  function workText(status) {
    var then = status.hold && status.hold.leave ? t('stops after this') :
      status.paused || status.hold ? t('pauses after this') : '';
    return jobsText(status) + (then ? ' \u00b7 ' + then : '') +
      (status.hold ? ' (' + holdText(status) + ')' : '');
  }

  /** "paused by ann: lunch" */
  function holdText(status) {
    var hold = status.hold;
    var who = { who: hold.by || t('an operator') };
    return (hold.leave ? t('its work was ended by {who}', who) : t('paused by {who}', who)) +
      (hold.reason ? ': ' + hold.reason : '');
  }

  /** An operator has ended its work; what brings it back. */
  function endedText(status) {
    var again = status.hold.again;
    return t('This page takes no jobs: {why}.', { why: holdText(status) }) + ' ' +
      t('An operator of the server can let it have jobs again. Then press Reconnect now.') +
      (again ? ' ' + t('The server was asked at {time}: that still holds.',
        { time: clock(again) }) : '');
  }

  function pausedText(status) {
    return (status.hold ? heldText(status) + pausedHereText(status) :
      t('Takes no jobs until somebody presses Resume.')) + besidesText(status);
  }

  /** An operator has paused it; what somebody who wants jobs can do. */
  function heldText(status) {
    var why = { why: holdText(status) };
    if (status.hold.ending) {
      return t('Takes no jobs: {why}. The server hears that somebody here ends that\u2026', why);
    }
    return status.hold.mayEnd ?
      t('Takes no jobs: {why}. Resume ends that, and is noted under the name of this page.', why) :
      t('Takes no jobs: {why}. Only an operator of the server can end that.', why);
  }

  /** To resume ends both. */
  function pausedHereText(status) {
    return status.paused && !status.hold.mayEnd ? ' ' + t('It is paused here as well.') : '';
  }

  /** Whether its one button resumes, and does not pause. */
  function resumes(status) {
    return status.paused || !!(status.hold && status.hold.mayEnd);
  }

  /** A sentence around words of others, which may end with a mark themselves. */
  function onceEnded(text) {
    return text.replace(/([?!]|[^.]\.|\.\.\.)\.(?=\s|$)/g, '$1');
  }

  function detailText(status, faulty) {
    return onceEnded(stateText(status, faulty));
  }

  function stateText(status, faulty) {
    switch (status.state) {
      case 'ready': return t('Waiting for jobs. Leave this page open.') + besidesText(status);
      case 'working':
      case 'stuck': return withMore(workText(status), besidesText(status));
      case 'paused': return pausedText(status);
      case 'connecting': return t('Looking for the server\u2026');
      case 'reconnecting': return goneText(status);
      case 'not_allowed': return notAllowedText(status);
      case 'out_of_date': return t('This page does not fit the server. Load it again (Ctrl+F5).') +
        ' ' + retryText(status) + '.' + blame(status.error);
      case 'maintenance': return t('The server is being restarted. Nothing is wrong with this ' +
        'PC.') + ' ' + (status.registered ? t('Running jobs are finished first.') :
        retryText(status) + '.');
      default: return (faulty ? faulty + ' ' : '') +
        (status.hold && status.hold.leave ? endedText(status) :
          status.error ? t.known(status.error.text) + blame(status.error) :
            t('This page takes no jobs.'));
    }
  }

  /**
   * One line to read aloud by telephone: name, code, since when; '' while nothing is wrong. The
   * six letters say the same to whoever types them in.
   */
  function aloudText(status, name) {
    var standing = status.standing;
    var spoken = '';
    if (!standing) {
      return '';
    }
    spoken = window.pagehandSpoken(standing.code, standing.since, status.failures || 0);
    return t('Tell the helpdesk: {name}, {what}, since {time}.', {
      name: name || t('a page without a name'),
      what: standing.code,
      time: minute(standing.since)
    }) + (spoken ? ' ' + t('Or just: {letters}.', { letters: spoken }) : '');
  }

  // ---- jobs in doubt ---------------------------------------------------------------------------

  var ANSWERED = {
    telling: [t('The server hears: no\u2026'), t('The server hears: yes\u2026')],
    noted: [t('Thank you. It is done again.'), t('Thank you. It counts as done.')],
    decided: [t('Somebody has decided it already.'), t('Somebody has decided it already.')]
  };

  /** The task's words; where it has none, those of the worker's script, in this language. */
  function questionText(doubt) {
    var plain = /^Was this done: ([\s\S]*)\?$/.exec(doubt.question);
    return plain ? t('Was this done: {name}?', { name: plain[1] }) : doubt.question;
  }

  /** Why somebody is asked: how the job's try has ended for the server. */
  var UNSURE = {
    timed_out: t('That took too long, and the server does not know how it ended.'),
    lost: t('The server lost track of that: this page was gone, or said nothing of it.'),
    released: t('This page gave that back before it had ended.')
  };

  /** Below the question: what an answer means, or what became of it. */
  function doubtText(doubt) {
    var text = doubt.state === 'asked' ?
      (UNSURE[doubt.why] || t('The server does not know how that ended.')) + ' ' +
        t('Yes: it counts as done. No: it is done again.') :
      ANSWERED[doubt.state][doubt.happened ? 1 : 0];
    return text + (doubt.more ?
      ' ' + t('Questions that follow: {number}.', { number: doubt.more }) : '');
  }

  window.pagehandWords = {
    aloudText: aloudText,
    clock: clock,
    codeText: codeText,
    connectionText: connectionText,
    detailText: detailText,
    doubtText: doubtText,
    errorText: errorText,
    jobsText: jobsText,
    labelsText: labelsText,
    pastText: pastText,
    questionText: questionText,
    resumes: resumes,
    slownessText: slownessText,
    troubleOf: troubleOf
  };
}(window));
