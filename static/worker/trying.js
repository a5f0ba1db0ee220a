/** A task that is tried: it runs as at a worker, but no server hears of it, and nothing is kept. */
(function (parts) {
  'use strict';

  var PHASE = parts.PHASE;
  var Worker = parts.Worker;
  var codedError = parts.codedError;
  var each = parts.each;
  var fieldText = parts.fieldText;
  var offered = parts.offered;
  var own = parts.own;
  var parseObject = parts.parseObject;
  var readMessage = parts.readMessage;
  var registry = parts.registry;
  var walk = parts.walk;

  //: No storage, and no address with a token in it. A window that has a name is left alone.
  var NOTHING_KEPT = {
    session: null, local: null, frame: { name: 'in use' }, location: {}, history: {}
  };

  /** A worker that never connects: what it would send goes to `told`. */
  function aside(limit, told, env) {
    /** @type {any} */
    var worker;
    var stands = {};
    each(env || {}, function (value, name) { stands[name] = value; });
    each(NOTHING_KEPT, function (value, name) { stands[name] = value; });
    worker = new Worker({ env: stands });
    worker._settings.result_limit = limit;
    worker._send = function (text) {
      told(parseObject(text), fieldText(text, 'value'));
    };
    worker._say = function () {};
    // The end. It is not kept for another load of the page, and counts nowhere.
    worker._report = function (attempt, text) {
      attempt.phase = PHASE.ENDED;
      walk(worker._hooks, function (hook) { worker._env.off(hook[0], hook[1]); });
      worker._send(text);
    };
    return worker;
  }

  /**
   * Run a task once. Throws where none is registered for the message.
   * @param {string} text a message `job`
   * @param {number} limit the most bytes of a result
   * @param {function(*, string): void} told takes what a worker would send (progress, log, result,
   * error), and of a result its value as JSON
   * @param {Object<string, any>} [env] as of a worker; for tests
   */
  function tryTask(text, limit, told, env) {
    var message = readMessage(text);
    var worker = aside(limit, told, env);
    var attempt = offered(message, own(registry, message.type));
    if (!attempt.task) {
      throw codedError('bad_task', 'no task is registered as ' + message.type);
    }
    attempt.acceptedAt = worker._env.now();
    worker._attempts[attempt.id] = attempt;
    worker._hook();
    worker._begin(attempt);
  }

  parts.tryTask = tryTask;
}(parts));
