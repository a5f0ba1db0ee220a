/**
 * Pagehand worker: makes this page do jobs for a Pagehand server. One ES5 script, no dependency,
 * one global. The server joins it from the files of static/worker and changes nothing in them. The
 * messages are in docs/protocol.md.
 *
 *   Pagehand.task('shout', function (job, done) { done(null, job.data.toUpperCase()); });
 *   var worker = Pagehand.start({name: 'FRONT-DESK-07'});
 *   worker.on('status', function (status) { ... });
 *
 * A task ends with the first of a returned value, a returned thenable, done(error, value), a throw.
 * done(error, value) fails where error is anything but undefined and null: also with '', 0 and
 * false, so that an error without words (an empty statusText) is not taken for success.
 * Returning undefined means that done will come. With {quick: true} it starts without an accept:
 * for tasks that take milliseconds and do no harm when they run twice. A job is not tried again
 * after an error made by Pagehand.fatal(message, code).
 *
 * A task is also over when a script of the page throws and nobody catches it, in a callback of the
 * task say, or when a promise is rejected and nobody looks: the attempt fails at once with that
 * error, if its task is the only one that runs. With {uncaught: 'log'} the error is only a line in
 * the job's log, and the task must still end. So it is where several tasks run, and for scripts of
 * other origins, of which browsers say nothing but 'Script error.'.
 *
 * With {doubt: 'ask', ask: function (data, job) { return 'Did label ' + data.id + ' come out?'; }}
 * the person at the page is asked about a job in doubt: one that may be done only once, and was
 * lost with its page while the task ran. ask may be a text, too; it is called before the task, and
 * at most 300 characters are kept. See worker.answer and status().doubt.
 *
 * With {doubt_url: 'https://erp.example/orders/{order}'} whoever must decide about a job in doubt
 * gets a link to where one sees whether it was done. {order} is a field of the job's data; none
 * stands in the host. A page tells at most 100 of these.
 *
 * With {snapshot: true} a failure leaves the text that the page shows in the job's log: what a host
 * or a device has said there. At most 6,000 characters of it are kept. The worker page's own words
 * are left out, and so is each element with data-snapshot="no".
 *
 * A value is written as JSON.stringify would, but for what a library or a task has put on the
 * prototypes of the language (Array.prototype.toJSON and the like), which is not looked at. The
 * value's own toJSON is called, and that of its class. A Date is its instant in UTC. Half of a
 * surrogate pair becomes U+FFFD.
 *
 * job: id, type, data, text (the data as it came, where a number of data has more digits than
 * JavaScript keeps), number (which try this is), timeoutMs, cancelled (boolean), summary and
 * traceparent (texts, or null), tags (an array of texts), and
 *   progress(percent, note)  0 to 100; either may be left out; also the job's heartbeat
 *   log(line)                shown with the job
 *   onCancel(fn)             fn(reason) must stop the task, which then counts as ended. An fn that
 *                            needs time returns false, and the task still ends by done. A task
 *                            without onCancel keeps its slot until it ends.
 *
 * Options of Pagehand.start (unit, default):
 *   url            base address of the server ('': the page's own)
 *   types          names to offer (null: every task that is registered, also later ones)
 *   name           shown to people, at most 100 characters ('')
 *   slots          jobs at once, 1 to 64 (1)
 *   token          needed if the server has one (null: from #token= or ?token= of the address; it
 *                  is then removed from there and kept in sessionStorage). In the address % is
 *                  written %25, & is %26 and # is %23; all else stands for itself, + / and = too
 *   join           a token for joining, for which the server gives this worker a credential; the
 *                  page keeps that with its identity and shows it from then on (null: from #join=
 *                  of the address, which is treated as #token= is)
 *   labels         what the page tells the server about itself: at most 20 texts of 1 to 200
 *                  characters by name, {site: 'berlin'}, or in one text, 'site:berlin' ({})
 *   versions       the versions of the tasks, texts of at most 100 characters by type, for people
 *                  who look which pages have an old one ({})
 *   credentials    true: requests carry the cookies of the server's origin, which a single sign-on
 *                  before a server on another origin wants. What stands before the server must
 *                  let pages in as the server does: with the page's own origin in
 *                  Access-Control-Allow-Origin, and Access-Control-Allow-Credentials: true (false)
 *   transport      auto: begins by long-polling and moves to a WebSocket if that works; polling: no
 *                  WebSocket ever; websocket: nothing else, also at first (auto)
 *   storageKey     prefix of all stored keys; tells workers of one page apart ('pagehand')
 *   backoffMinMs   shortest wait before a new session (1000)
 *   backoffMaxMs   longest wait (30000)
 *   openTimeoutMs  for the first answer of a session (15000)
 *   postTimeoutMs  for a POST, and 1 s more for every 16 KiB (15000)
 *   pollSlackMs    a poll may take this much longer than the server said (5000)
 *   env            stand-ins for the browser, see environment.js; for tests
 *
 * worker: start, stop, pause, resume, reconnect (now; it starts one that has stopped), reload (the
 * page, at most once a minute), unloaded(whys) tells it which tasks this page could not load, by
 * name, each with why.
 * status(), on(event, fn), mention(name, text): tells the server a text about this page, of which
 * people there see 200 characters, answer(attempt, happened): what the person says when asked by
 * status().doubt. Events:
 *   status (status())        something that a person can see has changed
 *   event  ({at, text})      one line for a log: connected, refused, a task that misbehaved, ...
 *   job    (job)             a task is about to start
 *   ended  ({attempt, type, succeeded})   a task has ended; its report is on the way
 */
(function (parts) {
  'use strict';

  var CODES = parts.CODES;
  var ConnectionTest = parts.ConnectionTest;
  var Engine = parts.Engine;
  var PROTOCOL = parts.PROTOCOL;
  var STATE = parts.STATE;
  var VERSION = parts.VERSION;
  var Worker = parts.Worker;
  var blame = parts.blame;
  var fatal = parts.fatal;
  var readMessage = parts.readMessage;
  var task = parts.task;
  var tasks = parts.tasks;
  var tryTask = parts.tryTask;
  var utf8Length = parts.utf8Length;

  var Pagehand = {
    version: VERSION,
    protocol: PROTOCOL,
    STATE: STATE,
    CODES: CODES,
    blame: blame,
    ConnectionTest: ConnectionTest,
    Worker: Worker,
    Engine: Engine,
    task: task,
    tasks: tasks,
    tryTask: tryTask,
    fatal: fatal,
    readMessage: readMessage,
    utf8Length: utf8Length,
    start: function (options) { return new Worker(options).start(); }
  };

  parts.Pagehand = Pagehand;
  parts.root.Pagehand = Pagehand;
}(parts));
