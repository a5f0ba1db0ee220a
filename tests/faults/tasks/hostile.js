// pagehand: {"title": "Does what a task must not do: data is the name of it"}

(function (window) {
  'use strict';

  var deeds = {
    'throws': function () { throw new Error('on purpose'); },
    'throws nothing': function () { throw undefined; },
    'throws later': function () {
      setTimeout(function () { throw new Error('in a timer'); }, 0);
    },
    'overflows the stack': function deeper() { return deeper() + 1; },
    'alerts': function () { window.alert('Press OK'); },
    'confirms': function () { return window.confirm('Sure?'); },
    'prompts': function () { return window.prompt('Who?'); },
    'redefines globals': function () {
      window.Pagehand = window.XMLHttpRequest = window.setTimeout = window.JSON = null;
      window.onerror = function () { return true; };
      return 'redefined';
    },
    'writes the document': function () {
      document.open();
      document.write('<p>gone</p>');
      document.close();
      return 'written';
    },
    'empties the body': function () {
      document.body.innerHTML = '';
      return 'emptied';
    },
    'reloads': function () { window.location.reload(); },
    'navigates away': function () { window.location.href = 'about:blank'; },
    'eats memory': function () {
      var all = [];
      for (;;) { all.push(new Array(100000).join('x').split('')); }
    },
    'never returns': function () {},
    'a circle': function () { var a = {}; a.a = a; return a; },
    'a function': function () { return function () {}; },
    'a getter that throws': function () {
      return Object.defineProperty({}, 'x', { enumerable: true, get: function () { throw new Error('no'); } });
    },
    'a toJSON that throws': function () { return { toJSON: function () { throw new Error('no'); } }; },
    'a megabyte': function () { return new Array(1048576 - 1).join('x'); },
    'a byte more': function () { return new Array(1048576).join('x'); },
    'a hundred megabytes': function () { return new Array(100 * 1048576).join('x'); },
    'nothing by done': function (job, done) { done(); }
  };

  Pagehand.task('hostile', function (job, done) { return deeds[job.data](job, done); });
}(window));
