/** The task files of the worker page: loads them, and knows which of them do not work, and why. */
(function (window, document) {
  'use strict';

  var RETRY_MIN_MS = 1000;
  var RETRY_MAX_MS = 30000;
  //: What somebody may have meant to be a task; the server has the same.
  var ENDING = /\.(?:[cm]?js|jsx|ts)(?:\.txt)?$/i;
  //: A task may put something else in its place.
  var setTimer = window.setTimeout;

  //: Every text stands in the catalogue of words.js. The server is told in English.
  var t = window.pagehandText;
  var english = window.pagehandEnglish;

  function noop() {}

  /** The same in the language of the page and in English; `rest` stands behind it as it is. */
  function both(text, values, rest) {
    return { own: t(text, values) + (rest || ''), english: english(text, values) + (rest || '') };
  }

  function asItIs(text) {
    return text && { own: text, english: text };
  }

  /** @param {string} base the path of the server's pages */
  window.pagehandFiles = function (base) {
    var errors = {};    // the first error of each file, by its name
    var wrong = {};     // what is wrong with it, in words of both languages, or ''
    var stray = '';     // an error of no known file, since one has run
    var strange = [];   // tasks that no file is named after
    var calls = [];     // what has been registered since a file was last looked at
    var kept = {};      // what each file has registered under its own name
    var site = [];      // the names of all files that there are, loaded or not
    var offered = [];   // what the page may offer; the worker looks into it again and again
    var absent = [];    // files that the server does not offer, each with why
    var changed = noop; // to be called when a file has been tried once more

    function addressOf(name) {
      return base + '/tasks/' + encodeURIComponent(name) + '.js';
    }

    /** The line of a file that an error speaks of; null: it speaks of something else. */
    function lineIn(name, event) {
      var path = addressOf(name);
      var file = String(event.filename || '').replace(/[?#].*$/, '');
      var stack = String((event.error && event.error.stack) || '').split(path + ':');
      if (file.slice(-path.length) === path) {
        return event.lineno;
      }
      return stack.length > 1 ? parseInt(stack[1], 10) : null;
    }

    /** The first error of a file, be it that it cannot be read or that it throws. */
    function scriptFailed(event) {
      var found = false;
      if (!event.message) {
        return;
      }
      Object.keys(errors).forEach(function (name) {
        var line = lineIn(name, event);
        if (line !== null) {
          found = true;
          errors[name] = errors[name] ||
            both('line {number}', { number: line }, ': ' + event.message);
        }
      });
      stray = found ? '' : event.message;
    }

    function has(object, name) {
      return Object.prototype.hasOwnProperty.call(object, name);
    }

    function offer(name, may) {
      var at = offered.indexOf(name);
      if (may && at < 0) {
        offered.push(name);
      } else if (!may && at >= 0) {
        offered.splice(at, 1);
      }
    }

    /** Notes what the files register. */
    function listen() {
      var task = window.Pagehand.task;
      window.Pagehand.task = function (name) {
        var made;
        offer(name, true);
        made = task.apply(this, arguments);
        // null: a callback, of no file that is just running. Old engines don't tell.
        if (document.currentScript !== null) {  // ie11-ok: currentScript
          calls.push({ name: name, given: arguments, again: task });
        }
        return made;
      };
    }

    /** In an old engine: whether that file has run well, and this may be a callback of it. */
    function isLate(name) {
      return document.currentScript === undefined &&  // ie11-ok: currentScript
        has(wrong, name) && !errors[name] && !has(kept, name);
    }

    /**
     * The tasks of other files that this one has registered: it is a copy, the name in it is the
     * old one. Each file keeps its task, or jobs of its type would run another file's code. A task
     * whose own file does not work, or is not loaded, is not offered.
     */
    function taken(name) {
      var others = [];
      calls.forEach(function (call) {
        if (call.name === name || isLate(call.name)) {
          kept[call.name] = call;
          offer(call.name, true);
        } else if (site.indexOf(call.name) >= 0) {
          others.push(call.name);
          offer(call.name, has(kept, call.name));
          if (has(kept, call.name)) {
            kept[call.name].again.apply(window.Pagehand, kept[call.name].given);
          }
        }
      });
      calls = [];
      return others;
    }

    function quoted(names) {
      return '"' + names.join('", "') + '"';
    }

    /** What is wrong with a file that has run, in words; '' if nothing is. */
    function objection(name) {
      var others = taken(name);
      var all = window.Pagehand.tasks();
      var strangers = all.filter(function (task) {
        return site.indexOf(task) < 0 && strange.indexOf(task) < 0;
      });
      strange = strange.concat(strangers);
      if (errors[name]) {
        return errors[name];
      }
      if (has(kept, name) || (!others.length && all.indexOf(name) >= 0)) {
        return others.length ?
          both('it registers {names} too, of another file', { names: quoted(others) }) : '';
      }
      // Thrown in another script, of which only new engines say who had called it.
      others = others.concat(strangers);
      return asItIs(stray) || (others.length ? both('it does not register "{name}", but {names}',
        { name: name, names: quoted(others) }) :
        both('it does not register "{name}" (is it empty?)', { name: name }));
    }

    /** `settled` is called when this try has ended; a task that comes later is offered too. */
    function load(name, wait, settled) {
      var script = document.createElement('script');
      script.onload = function () {
        wrong[name] = objection(name);
        stray = '';
        settled();
      };
      script.onerror = function () {
        script.parentNode.removeChild(script);
        wrong[name] = both('it could not be loaded and is asked for again');
        setTimer.call(window, function () {
          load(name, Math.min(wait * 2, RETRY_MAX_MS), changed);
        }, wait);
        settled();
      };
      script.src = addressOf(name);
      document.body.appendChild(script);
    }

    /** The names of those that have run and do not work. */
    function broken() {
      return Object.keys(wrong).filter(function (name) { return wrong[name] !== ''; });
    }

    window.addEventListener('error', scriptFailed, false);

    return {
      /**
       * Loads the files of these tasks; done() is called when each has been tried once.
       * @param {string[]} names @param {function(): void} done
       * @param {string[]} [all] the names of all files that the server has
       * @param {function(): void} [later] is called when one has been tried once more
       */
      load: function (names, done, all, later) {
        var waiting = names.length;
        site = all || names;
        changed = later || noop;
        listen();
        names.forEach(function (name) { errors[name] = ''; });
        names.forEach(function (name) {
          load(name, RETRY_MIN_MS, function () {
            waiting -= 1;
            if (waiting === 0) {
              done();
            }
          });
        });
      },

      /** The tasks that the page may offer; the list grows as files come. */
      offered: function () {
        return offered;
      },

      /**
       * Notes the files that the server does not offer. A page that wants certain types hears of
       * theirs alone; any other one hears of all whose type no other file has. Returns the types.
       */
      note: function (list, wanted, offered) {
        var types = wanted.length ? wanted : list.map(function (item) {
          return item.file.replace(ENDING, '');
        });
        return types.filter(function (type) {
          var its = offered.indexOf(type) >= 0 ? [] : list.filter(function (item) {
            return item.file.replace(ENDING, '').toLowerCase() === type.toLowerCase();
          }).map(function (item) { return item.file + ', ' + item.why; });
          absent = absent.concat(its.filter(function (text) { return absent.indexOf(text) < 0; }));
          return its.length;
        });
      },

      /** The files that do not work, each with what is wrong. */
      faulty: function () {
        return absent.concat(broken().map(function (name) {
          return name + '.js, ' + wrong[name].own;
        }));
      },

      /** The same for the server, by task; what it does not offer it knows itself. */
      unloaded: function () {
        var whys = {};
        broken().forEach(function (name) {
          whys[name] = 'E-TSK-01: ' + wrong[name].english.split('\n')[0];
        });
        return whys;
      }
    };
  };
}(window, document));
