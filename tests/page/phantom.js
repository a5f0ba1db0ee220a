/*
 * PhantomJS, driven by browsers.py: phantom.js DIRECTORY AGENT WIDTH HEIGHT
 * Command n is the file n.command in the directory, [name, argument] as JSON; its answer n.answer is
 * {"value": ...} or {"failed": text}. Files, because reading standard input stops the page's clock,
 * and a port would be open to the whole network.
 */
/* globals phantom, require */
var fs = require('fs');
var system = require('system');
var page = require('webpage').create();
var directory = system.args[1];
var next = 1;
var busy = false;
var offline = false;
var errors = [];

// An uncaught error in this script would hang it for ever.
phantom.onError = function (message) {
  system.stderr.writeLine('phantom.js: ' + message);
  phantom.exit(3);
};
page.settings.userAgent = system.args[2];
page.viewportSize = { width: Number(system.args[3]), height: Number(system.args[4]) };
page.onError = function () {};  // it does not hear of syntax errors; the listener below does
page.onCallback = function (data) { errors.push(data.error); };
page.onInitialized = function () {
  page.evaluate(function () {
    window.addEventListener('error', function (event) {
      if (event.message) {
        window.callPhantom({ error: event.message + ' @' + event.filename + ':' + event.lineno });
      }
    }, true);
  });
};
page.onResourceRequested = function (data, request) {
  if (offline) { request.abort(); }
};

function answer(number, value) {
  var path = directory + '/' + number + '.answer';
  fs.write(path + '.part', JSON.stringify(value), 'w');
  fs.move(path + '.part', path);
  busy = false;
}

/** It gives '' for null, so values travel as JSON; page.evaluate with eval would break the page's CSP. */
function run(expression) {
  var text = page.evaluateJavaScript('function () { try { return JSON.stringify({value: ' + expression +
    '}); } catch (e) { return JSON.stringify({failed: String(e)}); } }');
  return JSON.parse(text);
}

var COMMANDS = {
  open: function (url, done) {
    page.open(url, function (status) {
      done(status === 'success' ? { value: null } : { failed: 'cannot open ' + url });
    });
  },
  reload: function (argument, done) {
    page.reload();
    done({ value: null });
  },
  run: function (expression, done) { done(run(expression)); },
  resize: function (size, done) {
    page.viewportSize = { width: size[0], height: size[1] };
    done({ value: null });
  },
  screenshot: function (path, done) {
    page.clipRect = { top: 0, left: 0, width: page.viewportSize.width, height: page.viewportSize.height };
    done(page.render(path) ? { value: null } : { failed: 'cannot write ' + path });
  },
  errors: function (argument, done) { done({ value: errors.splice(0) }); },
  offline: function (value, done) {
    offline = value;
    done({ value: null });
  }
};

setInterval(function () {
  var path = directory + '/' + next + '.command';
  var command;
  var number = next;
  if (busy || !fs.exists(path)) { return; }
  busy = true;
  next += 1;
  command = JSON.parse(fs.read(path));
  COMMANDS[command[0]](command[1], function (value) { answer(number, value); });
}, 10);
