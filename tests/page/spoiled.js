/**
 * Lives of a worker, each in a window of its own, on pages that spoil what the language has. Run by node,
 * which gives such a window other builtins than this script's. Reads a list of {script, before, after,
 * tasks, between, results, shelf, frame} and prints, for each, what went out and was kept.
 */
var vm = require('vm');
var fs = require('fs');

function life(given) {
  var window = vm.createContext({});
  var session = new Map();
  var local = new Map();
  var timers = [];
  var requests = [];
  var sockets = [];
  var sent = [];
  var noted = [];
  var clock = 0;
  var random = 0;

  function store(map) {
    return {
      getItem: function (key) { return map.has(key) ? map.get(key) : null; },
      setItem: function (key, value) { map.set(key, value); },
      removeItem: function (key) { map.delete(key); },
      key: function (i) { return Array.from(map.keys())[i]; }
    };
  }

  var env = {
    xhr: function () {
      return {
        readyState: 0,
        open: function (method, url) { this.method = method; this.url = url; },
        setRequestHeader: function () {},
        getResponseHeader: function () { return 'text/plain'; },
        send: function (body) { this.body = body; requests.push(this); },
        abort: function () { requests = requests.filter(function (item) { return item !== this; }, this); }
      };
    },
    socket: function (url) {
      var socket = {
        url: url, readyState: 0, bufferedAmount: 0,
        send: function (text) { sent.push([url, text], []); },
        close: function () { socket.readyState = 3; }
      };
      sockets.push(socket);
      return socket;
    },
    setTimeout: function (fn, ms) { timers.push({ at: clock + ms, fn: fn }); return timers[timers.length - 1]; },
    clearTimeout: function (timer) { timers = timers.filter(function (item) { return item !== timer; }); },
    now: function () { return clock; },
    date: function () { return 1795435200000 + clock; },
    random: function () { return 0.5; },
    bytes: function (count) { random += 1; return new Uint8Array(count).fill(random); },
    session: given.shelf ? store(session) : null,
    local: store(local),
    frame: { name: '' },
    location: { protocol: 'http:', host: 'site.test', pathname: '/', search: '', hash: '#token=ab' },
    history: { replaceState: function () {} },
    on: function () {},
    off: function () {},
    document: {},
    userAgent: 'node "\\ \u00fc',
    log: function (text) { noted.push(text); }
  };

  function answer(method, status, body) {
    var request = requests.find(function (item) { return item.method === method; });
    requests = requests.filter(function (item) { return item !== request; });
    request.status = status;
    request.responseText = body;
    request.readyState = 4;
    request.onreadystatechange();
  }

  function advance(ms) {
    var due = clock + ms;
    var next;
    for (;;) {
      timers.sort(function (a, b) { return a.at - b.at; });
      next = timers[0];
      if (!next || next.at > due) { break; }
      timers.shift();
      clock = next.at;
      next.fn();
    }
    clock = due;
  }

  function take() {
    var post;
    for (;;) {
      post = requests.find(function (item) { return item.method === 'POST'; });
      if (!post) { return; }
      sent.push([post.url, post.body]);
      sent.push(Array.from(session).concat([env.frame.name]));
      answer('POST', 200, 'ok');
    }
  }

  function push(message) {
    answer('GET', 200, '4' + JSON.stringify(message));
    take();
  }

  function open(sid, upgrades) {
    var facts = { sid: sid, upgrades: upgrades || [], pingInterval: 20000, pingTimeout: 20000, maxPayload: 1e6 };
    answer('GET', 200, '0' + JSON.stringify(facts));
    take();
    push({ op: 'registered', worker: 'w1', secret: 'x', name: 'DESK', settings: { repeat_ms: 5000 } });
  }

  /** A poll is answered by something that ends the session; another session begins. */
  function trouble(status, body) {
    answer('GET', status, body);
    advance(10000);
  }

  function job(attempt, type) {
    push({
      op: 'job', attempt: attempt, id: 'j' + attempt, type: type, data: { list: [1, 'a', null] }, number: 1, timeout_ms: 1000
    });
  }

  /** The session moves to a socket, which carries a job and breaks; another session begins. */
  function moved() {
    var socket = sockets[sockets.length - 1];
    function frame(packet) { socket.onmessage({ data: packet }); }
    socket.readyState = 1;
    socket.onopen({});
    frame('3probe');
    answer('GET', 200, '6');
    ['d0', 'd1'].forEach(function (attempt) {
      frame('4' + JSON.stringify({
        op: 'job', attempt: attempt, id: 'j' + attempt, type: attempt === 'd0' ? 'echo' : 'later', data: [1], number: 1,
        timeout_ms: 1000
      }));
    });
    frame('2');
    frame('2');
    socket.readyState = 3;
    socket.onclose({ code: 1006, reason: '' });
    advance(20000);
  }

  function run(source) {
    vm.runInContext(source, window);
  }

  window.env = env;
  // What a frame in the page has made, with that frame's own language.
  window.frame = vm.runInContext(given.frame, vm.createContext({}));
  run(given.before);
  run(given.script);
  run(given.after);
  run(given.tasks);
  run("var options = {name: 'DESK \"7\"', slots: 3, labels: {site: 'b', printer: 'z'}, env: env};" +
    'var worker = Pagehand.start(options); worker.on("status", function (status) { worker.last = status; });');
  open('s1');
  job('a0', 'spoil');
  given.results.forEach(function (type, i) { job('b' + i, type); });
  run(given.between);
  given.results.forEach(function (type, i) { job('c' + i, type); });
  trouble(0, '');
  trouble(502, '<!doctype html><title>Bad\n Gateway</title>');
  trouble(200, '<style>b {}</style><p>Log in</p>');
  trouble(403, '{"code": 4, "message": "not from here"}');
  open('s2', ['websocket']);
  moved();
  open('s3');
  push({ op: 'recorded', attempt: 'b0', verdict: 'recorded' });
  push({ op: 'cancel', attempt: 'unknown', reason: 'stale' });
  run('worker.pause();');
  take();
  advance(6000);
  take();
  run('worker.stop();');
  take();
  var worker = vm.runInContext('worker', window);
  for (var i = 0; i < worker._events.length; i += 1) { noted.push(worker._events[i].text); }
  return { sent: sent, kept: [Array.from(session), Array.from(local), env.frame.name], noted: noted };
}

function tried(given) {
  try {
    return life(given);
  } catch (e) {
    return String(e);
  }
}

console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(tried)));
