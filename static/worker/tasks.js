/** The tasks of this page, and the workers that offer them. */
(function (parts) {
  'use strict';

  var Error = parts.Error;
  var Object = parts.Object;
  var codedError = parts.codedError;
  var exec = parts.exec;
  var keys = parts.keys;
  var only = parts.only;
  var push = parts.push;
  var read = parts.read;
  var slice = parts.slice;
  var sort = parts.sort;
  var walk = parts.walk;

  var DOUBT_URL_LENGTH = 500;
  /* As in dispatcher/core/jobs/doubturl.py: no field of the data is a part of the host. */
  var HOST =
    /^https?:\/\/([A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/;
  var BEHIND = /^([\/?#]([!#-;=?-Z_a-z~]|\{[A-Za-z0-9_\-]{1,100}\})*)?$/;

  var registry = Object.create(null);
  var started = [];

  /**
   * Register a task, before or after the worker has started.
   * @param {string} name 1 to 100 letters, digits, dots, - and _
   * @param {function(Object, function(*, *): void): *} fn (job, done)
   * @param {{quick?: boolean, uncaught?: string, doubt?: string, ask?: *, doubt_url?: string,
   *   snapshot?: boolean}} [options]
   */
  function task(name, fn, options) {
    if (typeof name !== 'string' || !exec(/^[A-Za-z0-9._-]{1,100}$/, name)) {
      throw codedError('bad_name', 'a task\'s name has 1 to 100 letters, digits, dots, - and _');
    }
    if (typeof fn !== 'function') {
      throw codedError('bad_task', 'the task ' + name + ' is not a function');
    }
    registry[name] = {
      name: name,
      fn: fn,
      asks: asksOf(options),
      doubtUrl: doubtUrlOf(options),
      quick: options ? !!read(options, 'quick') : false,
      snapshot: options ? !!read(options, 'snapshot') : false,
      uncaught: options && read(options, 'uncaught') === 'log' ? 'log' : 'fail'
    };
    walk(started, function (worker) { worker._typesChanged(); });
    return parts.Pagehand;
  }

  /** What the person is asked about a job in doubt: a text, or what makes one; null: nothing. */
  function asksOf(options) {
    var doubt = options ? read(options, 'doubt') : undefined;
    var ask = options ? read(options, 'ask') : undefined;
    if (doubt !== undefined && doubt !== 'ask') {
      throw codedError('bad_task', 'doubt is \'ask\', or is left out');
    }
    if (ask !== undefined && (doubt === undefined ||
        (typeof ask !== 'function' && typeof ask !== 'string'))) {
      throw codedError('bad_task', 'ask is a text, or a function of the job\'s data that makes ' +
        'one, and stands beside doubt: \'ask\'');
    }
    return doubt === undefined ? null : ask || '';
  }

  /** Where people look whether a job in doubt was done; empty: nobody says. */
  function doubtUrlOf(options) {
    var url = options ? read(options, 'doubt_url') : undefined;
    var host;
    if (url === undefined) {
      return '';
    }
    host = typeof url === 'string' && url.length <= DOUBT_URL_LENGTH && exec(HOST, url);
    if (!host || !exec(BEHIND, slice(url, host[0].length))) {
      throw codedError('bad_task', 'doubt_url is an address of at most ' + DOUBT_URL_LENGTH +
        ' characters that begins with https:// or http:// and a host; fields of the job\'s data ' +
        'may stand behind the host: https://erp.example/orders/{order}');
    }
    return url;
  }

  /** The names of the tasks of this page. */
  function tasks() {
    return sort(keys(registry));
  }

  /** From now on the worker is told of new tasks. */
  function offering(worker) {
    push(started, worker);
  }

  /** It is no longer told of new tasks. */
  function withdraw(worker) {
    started = only(started, function (other) { return other !== worker; });
  }

  /**
   * An error that makes the job fail at once, without another try.
   * @param {string} message
   * @param {string} [code] for programs, at most 200 characters ('fatal')
   */
  function fatal(message, code) {
    /** @type {any} */
    var error = new Error(message);
    error.code = code || 'fatal';
    error.retry = false;
    return error;
  }

  parts.fatal = fatal;
  parts.offering = offering;
  parts.registry = registry;
  parts.task = task;
  parts.tasks = tasks;
  parts.withdraw = withdraw;
}(parts));
