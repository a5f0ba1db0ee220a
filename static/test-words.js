/** What the worker page says of a test of its connection. It writes nothing itself. */
(function (window) {
  'use strict';

  var MARKS = { fine: '\u2714', wrong: '\u2718', testing: '\u2026', untested: '\u2013' };

  function two(number) {
    return (number < 10 ? '0' : '') + number;
  }

  function minute(ms) {
    var date = new Date(ms);
    return two(date.getHours()) + ':' + two(date.getMinutes());
  }

  function kilobytes(bytes) {
    return Math.round(bytes / 1024) + '\u0020kB';
  }

  /** A reason as the end of a sentence. */
  function ended(why) {
    return why.replace(/\.$/, '') + '.';
  }

  function count(lines, state) {
    return lines.filter(function (line) { return line.state === state; }).length;
  }

  /** The words in one language. t: see words.js. */
  function wordsIn(t) {
    var TESTED = {
      server: t('Server'),
      sending: t('Sending'),
      waiting: t('Waiting'),
      socket: t('WebSocket'),
      clock: t('Clock'),
      storage: t('Storage')
    };
    var STATES = {
      fine: t('OK'), wrong: t('NO'), testing: t('testing \u2026'), untested: t('not tested')
    };
    var SKIPPED = {
      server: t('because the server does not answer'),
      busy: t('because many pages test their connections just now. Try again in a minute'),
      stopped: t('because the test was stopped'),
      polling: t('because this server refuses WebSocket')
    };
    var TEXTS = {
      server: serverText,
      sending: sendingText,
      waiting: waitingText,
      socket: socketText,
      clock: clockText,
      storage: storageText
    };

    /** "12 s", "3 min", "5 h", "2 days" */
    function span(ms) {
      var seconds = Math.round(ms / 1000);
      return seconds < 120 ? t('{number} s', { number: seconds }) :
        seconds < 7200 ? t('{number} min', { number: Math.round(seconds / 60) }) :
          seconds < 172800 ? t('{number} h', { number: Math.round(seconds / 3600) }) :
            t('{number} days', { number: Math.round(seconds / 86400) });
    }

    function sendingText(line) {
      var found = {
        size: kilobytes(line.bytes), failed: kilobytes(line.failed), why: ended(line.why || '')
      };
      if (line.state === 'fine') {
        return t('{size} come through, as much as the server takes.', found);
      }
      return line.bytes ? t('{size} come through, {failed} do not: {why}', found) + ' ' +
        t('Something on the way refuses large messages, probably a proxy.') :
        t('Not even {failed} comes through: {why}', found);
    }

    /** "after about 10 s", or why not even that is known. */
    function cutText(line) {
      return line.cutMs === null ? t('Longer ones are kept back: {why}', { why: ended(line.why) }) :
        t('Longer ones are cut after about {time}.', { time: span(line.cutMs) });
    }

    function waitingText(line) {
      var through = line.longestS ?
        t('Requests may wait {number} s.', { number: line.longestS }) : '';
      if (line.state === 'fine') {
        return through + (line.why ? ' ' + cutText(line) + ' ' +
          t('This page waits at most {time}.', { time: span(line.pollMs) }) : '');
      }
      return (line.cutMs === null ?
        t('Something on the way keeps back the answers to waiting requests: {why}',
          { why: ended(line.why) }) :
        t('Something on the way cuts waiting requests after about {time}, ' +
          'probably a proxy (E-NET-12).', { time: span(line.cutMs) })) + (line.longestS ?
        ' ' + t('{number} s come through.', { number: line.longestS }) : '');
    }

    function socketText(line) {
      return line.state === 'fine' ?
        t('It opens, and the server answers in {number} ms.', { number: line.ms }) :
        t('There is none: {why} The page works without.', { why: ended(line.why) });
    }

    function clockText(line) {
      return line.state === 'fine' ? t('This PC and the server tell the same time.') :
        line.aheadMs > 0 ? t('The clock of this PC is {time} ahead of the server\u2019s.',
          { time: span(line.aheadMs) }) :
          t('The clock of this PC is {time} behind the server\u2019s.',
            { time: span(-line.aheadMs) });
    }

    function storageText(line) {
      return line.state === 'fine' ? t('This browser keeps what the page stores.') :
        line.session ? t('This browser keeps nothing in localStorage.') :
          line.local ? t('This browser keeps nothing in sessionStorage.') :
            t('This browser keeps nothing in sessionStorage and localStorage.');
    }

    function serverText(line) {
      return line.state === 'fine' ? t('It answers in {number} ms.', { number: line.ms }) :
        t('It does not answer: {why}', { why: ended(line.why) });
    }

    /** How far something has come that is not over. */
    function soFarText(line) {
      return line.bytes ? ' ' + t('{size} come through so far.', { size: kilobytes(line.bytes) }) :
        line.longestS ? ' ' + t('{number} s come through so far.', { number: line.longestS }) : '';
    }

    /** One line of a test: "Sending: OK. 1088 kB come through, ..." */
    function testLine(line) {
      var start = TESTED[line.name] + ': ' + STATES[line.state];
      if (line.state === 'testing') {
        return start + soFarText(line);
      }
      return line.state === 'untested' ? start + ', ' + SKIPPED[line.skipped] + '.' +
        soFarText(line) : start + '. ' + TEXTS[line.name](line);
    }

    function testTitle(lines, beganAt) {
      var found = {
        time: minute(beganAt), count: lines.length, wrong: count(lines, 'wrong')
      };
      if (count(lines, 'testing')) {
        return t('Connection test at {time}: it takes about a minute. ' +
          'The page goes on working.', found);
      }
      if (found.wrong) {
        return t('Connection test at {time}: {wrong} of {count} not OK.', found);
      }
      return count(lines, 'untested') ? t('Connection test at {time}: not all was tested.', found) :
        t('Connection test at {time}: all is OK.', found);
    }

    /** What one line says in few words. */
    function shortText(line) {
      var detail = line.name === 'sending' && line.bytes ? kilobytes(line.bytes) :
        line.name === 'waiting' && line.longestS ? span(line.longestS * 1000) :
          line.name === 'server' && line.ms !== undefined ? t('{number} ms', { number: line.ms }) :
            '';
      detail = detail && ' ' + detail;
      if (line.cutMs) {
        detail += ' ' + t('cut after {time}', { time: span(line.cutMs) });
      }
      if (line.name === 'clock' && line.state === 'wrong') {
        detail = ' ' + (line.aheadMs > 0 ? t('{time} ahead', { time: span(line.aheadMs) }) :
          t('{time} behind', { time: span(-line.aheadMs) }));
      }
      return TESTED[line.name].toLowerCase() + ' ' + STATES[line.state] + detail;
    }

    /** A whole test in less than 200 characters. */
    function testShort(lines, beganAt) {
      var date = new Date(beganAt);
      return date.getFullYear() + '-' + two(date.getMonth() + 1) + '-' + two(date.getDate()) +
        ' ' + minute(beganAt) + ': ' + lines.map(shortText).join(', ');
    }

    return {
      testLine: testLine,
      testMark: function (line) { return MARKS[line.state]; },
      testShort: testShort,
      testTitle: testTitle
    };
  }

  window.pagehandTestWords = wordsIn(window.pagehandText);
  //: People at the server read it, too: in English.
  window.pagehandTestWords.testShort = wordsIn(window.pagehandEnglish).testShort;
}(window));
