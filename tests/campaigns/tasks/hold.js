// pagehand: {"title": "Ends after data.ms, or when the test says so: then the page is loaded anew in the same moment"}

(function (window) {
  'use strict';

  var held = {};
  var stash = [];
  var i;

  for (i = 0; i < window.sessionStorage.length; i += 1) {
    if (/\.stash\./.test(window.sessionStorage.key(i))) {
      stash.push(window.sessionStorage.key(i).replace(/^.*\.stash\./, ''));
    }
  }

  Pagehand.task('hold', function (job, done) {
    var key = job.id + ' ' + job.number;
    var timer = setTimeout(end, job.data.ms);
    function end() {
      clearTimeout(timer);
      delete held[key];
      done(null, { n: job.data.n, number: job.number });
    }
    held[key] = { end: end, timer: timer };
  });

  /** `load`: tells one load of the page from another; `stash`: what it found there. */
  window.reloads = {
    load: Math.random(),
    at: new Date().getTime() / 1000,
    stash: stash,
    held: function () { return Object.keys(held); },
    /**
     * Load the page anew; so many jobs end in the same moment. `leaving`: only when the page goes,
     * and its network with it, so that their results get into the stash and no further. Else they may
     * still be sent, and the page says goodbye.
     */
    strike: function (finish, leaving) {
      var finished = Object.keys(held).slice(0, finish);
      function end() {
        finished.forEach(function (key) {
          if (held[key]) { held[key].end(); }
        });
      }
      function endUnheard() {
        window.WebSocket.prototype.send = window.XMLHttpRequest.prototype.send = function () {};
        end();
      }
      if (leaving) {
        finished.forEach(function (key) { clearTimeout(held[key].timer); });  // it ends when the page goes, not before
        window.addEventListener('pagehide', endUnheard, true);  // before the worker closes its session
      } else {
        end();
      }
      window.location.reload();
      return {
        held: Object.keys(held).filter(function (key) { return finished.indexOf(key) < 0; }),
        finished: finished
      };
    }
  };
}(window));
