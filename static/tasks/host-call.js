// pagehand: {"title": "Call the program around the browser", "example": {"method": "PrintLabel", "args": ["FRONT-DESK", 2]}}

/**
 * data: {method, args}; calls window.external[method](...args), which a desktop program with an
 * embedded browser offers. Only methods that the server lists (--host-call) are called, only with
 * plain values, and a page offers this task only when its address names it (types=host-call).
 * Result: what the method gave back, if it is a plain value; else null.
 */
(function () {
  'use strict';

  function isPlain(value) {
    return value === null || ['string', 'number', 'boolean'].indexOf(typeof value) >= 0;
  }

  function readData(data) {
    var args = data && data.args !== undefined ? data.args : [];
    if (!data || typeof data.method !== 'string') {
      throw Pagehand.fatal('data must be {method, args}', 'bad_data');
    }
    if ((Pagehand.hostCall || []).indexOf(data.method) < 0) {
      throw Pagehand.fatal('the server does not list the method ' + data.method, 'not_allowed');
    }
    if (!Array.isArray(args) || args.length > 10 || !args.every(isPlain)) {
      throw Pagehand.fatal('args must be at most 10 texts, numbers, booleans or nulls', 'bad_data');
    }
    return { method: data.method, args: args };
  }

  /** A COM object's methods have no apply, and typeof calls them 'unknown': name each argument. */
  function call(host, name, a) {
    switch (a.length) {
      case 0: return host[name]();
      case 1: return host[name](a[0]);
      case 2: return host[name](a[0], a[1]);
      case 3: return host[name](a[0], a[1], a[2]);
      case 4: return host[name](a[0], a[1], a[2], a[3]);
      case 5: return host[name](a[0], a[1], a[2], a[3], a[4]);
      case 6: return host[name](a[0], a[1], a[2], a[3], a[4], a[5]);
      case 7: return host[name](a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
      case 8: return host[name](a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
      case 9: return host[name](a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
      case 10: return host[name](a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
      default: throw Pagehand.fatal('too many args', 'bad_data');
    }
  }

  /** Called only after a call has failed: reading a method of a COM object may throw or run it. */
  function lacks(host, name) {
    try {
      return typeof host[name] === 'undefined';
    } catch (e) {
      return false;
    }
  }

  function noMethod(name) {
    return Pagehand.fatal('the program around this browser has no method ' + name, 'no_host');
  }

  Pagehand.task('host-call', function (job) {
    var wanted = readData(job.data);
    var host = window.external;
    var value;
    if (!host) {
      throw noMethod(wanted.method);
    }
    try {
      value = call(host, wanted.method, wanted.args);
    } catch (e) {
      throw lacks(host, wanted.method) ? noMethod(wanted.method) : e;
    }
    return value === undefined || !isPlain(value) ? null : value;
  });
}());
