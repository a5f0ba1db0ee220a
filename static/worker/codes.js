/** The codes of what goes wrong: what each says, and whose fault it is. docs/codes.md has more. */
(function (parts) {
  'use strict';

  var own = parts.own;

  /** Short codes to read over the telephone, and what they mean. */
  var CODES = {
    'E-NET-01': 'The server cannot be reached.',
    'E-NET-02': 'The server did not answer in time.',
    'E-NET-03': 'The server did not take a message in time.',
    'E-NET-04': 'Something other than the server answered, perhaps a proxy or a login page.',
    'E-NET-05': 'The server no longer knows this connection.',
    'E-NET-06': 'The server answered with an error.',
    'E-NET-07': 'The server closed the connection.',
    'E-NET-08': 'The connection was silent for too long.',
    'E-NET-09': 'The network was away.',
    'E-NET-10': 'This browser does not let the page make requests.',
    'E-NET-11': 'The list of tasks could not be loaded.',
    'E-NET-12': 'Something on the way cuts waiting requests, probably a proxy.',
    'E-NET-13': 'This page may use nothing but a WebSocket, and gets none.',
    'E-ORG-01': 'The server refuses this page because of its address.',
    'E-TOK-01': 'The server needs a token, and this page has none.',
    'E-TOK-02': 'The token of this page is wrong.',
    'E-TOK-03': 'The token of this page was revoked or has expired.',
    'E-TOK-04': 'Too many wrong tokens have come from where this page is.',
    'E-TOK-05': 'The token for joining is used up: as many pages have joined as may.',
    'E-TOK-06': 'Another window of this browser has the credential of this page.',
    'E-BLK-01': 'An operator of the server has blocked this worker.',
    'E-ADR-01': 'The address of this page has a part that is unknown or wrong.',
    'E-OPT-01': 'An option of Pagehand.start is unknown.',
    'E-VER-01': 'This page is older or newer than the server.',
    'E-MSG-01': 'The server refused a message of this page.',
    'E-MSG-02': 'The server sent a message that this page does not understand.',
    'E-JOB-01': 'A task failed.',
    'E-JOB-02': 'A result was too large.',
    'E-JOB-03': 'A result could not be written as JSON.',
    'E-JOB-04': 'A task called done more than once.',
    'E-JOB-05': 'A job that was cancelled or timed out does not stop.',
    'E-LBL-01': 'A label of this page is wrong and is not sent.',
    'E-JS-01': 'A script on this page failed.',
    'E-TSK-01': 'A task file does not work.',
    'E-TYP-01': 'This page has no tasks.',
    'E-TYP-02': 'The server has no such task.',
    'E-OLD-01': 'This browser, or its mode, is too old.',
    'E-SRV-01': 'The server is being restarted.',
    'E-DRN-01': 'An operator of the server has ended the work of this page.'
  };

  /** Whose fault it is, in a sentence that also says who can help. */
  var BLAME = {
    network: 'The fault lies with the server or the network, not with this PC. ' +
      'Leave this page open.',
    server: 'The fault lies with the server, not with this PC. Leave this page open.',
    proxy: 'The fault lies between this PC and the server, not with this PC. ' +
      'Whoever runs the network can help.',
    address: 'The fault lies with the address of this page, not with this PC. ' +
      'Whoever gave you the address can help.',
    task: 'The fault lies with the task, not with this PC. Whoever wrote the task can help.',
    browser: 'The fault lies with this browser. Whoever looks after this PC can help.',
    page: 'The fault lies with this page. Whoever runs the server can help.'
  };

  //: The codes whose fault is not that of the server or the network.
  var WHOSE = {
    'E-NET-04': 'proxy',
    'E-NET-06': 'server',
    'E-NET-07': 'server',
    'E-NET-10': 'browser',
    'E-NET-12': 'proxy',
    'E-NET-13': 'address',
    'E-ORG-01': 'address',
    'E-TOK-01': 'address',
    'E-TOK-02': 'address',
    'E-TOK-03': 'address',
    'E-TOK-04': 'address',
    'E-TOK-05': 'address',
    'E-TOK-06': 'address',
    'E-BLK-01': 'server',
    'E-ADR-01': 'address',
    'E-OPT-01': 'page',
    'E-VER-01': 'page',
    'E-MSG-01': 'page',
    'E-MSG-02': 'page',
    'E-JOB-01': 'task',
    'E-JOB-02': 'task',
    'E-JOB-03': 'task',
    'E-JOB-04': 'task',
    'E-JOB-05': 'task',
    'E-LBL-01': 'address',
    'E-JS-01': 'page',
    'E-TSK-01': 'task',
    'E-TYP-01': 'page',
    'E-TYP-02': 'address',
    'E-OLD-01': 'browser',
    'E-SRV-01': 'server',
    'E-DRN-01': 'server'
  };

  /** Whose fault a trouble is: a name of BLAME. */
  function whose(code) {
    return own(WHOSE, code) || 'network';
  }

  /** Whose fault it is, as a sentence. */
  function blame(code) {
    return BLAME[whose(code)];
  }

  parts.BLAME = BLAME;
  parts.CODES = CODES;
  parts.blame = blame;
  parts.whose = whose;
}(parts));
