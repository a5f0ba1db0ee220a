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

  window.pagehandWords = {
    aloudText: aloudText,
    clock: clock,
    connectionText: connectionText,
    detailText: detailText,
    errorText: errorText,
    jobsText: jobsText,
    labelsText: labelsText
  };
}(window));
