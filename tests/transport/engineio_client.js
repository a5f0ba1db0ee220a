// Drives the real engine.io-client against a server that answers each `c7` with `e7`, and says `s0`, `s1`, ... itself.
// node engineio_client.js <engine.io-client> <url> <polling|websocket|upgrade>
// Writes one line of JSON: what happened, or what went wrong.
'use strict';

const { Socket } = require(process.argv[2]);

const MODE = process.argv[4];
const COUNT = 1000;
const BURST = 20;
// Kept back until the socket carries the session.
const LAST = 300;
const report = {
  opened: null, transport: null, echo: null, answers: [], news: [], pings: 0, closed: null,
  sent: { before: 0, during: 0, after: 0 },
};
const transports = { polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket'] }[MODE];
const socket = new Socket(process.argv[3], { path: '/engine.io/', transports });
let phase = MODE === 'upgrade' ? 'before' : 'after';
let sent = 0;

const timer = setTimeout(() => end('timed out'), 15000);

// Node then ends by itself as soon as nothing is under way any more: the POST of the close packet, the parked GET.
function end(error) {
  clearTimeout(timer);
  report.error = error || null;
  process.stdout.write(JSON.stringify(report) + '\n', () => error && process.exit(1));
}

function burst() {
  const upTo = phase === 'after' ? COUNT : COUNT - LAST;
  for (let n = 0; n < BURST && sent < upTo; n += 1) {
    socket.send('c' + sent);
    sent += 1;
    report.sent[phase] += 1;
  }
}

function pump() {
  burst();
  if (sent < COUNT) {
    setTimeout(pump, 1);
  } else {
    socket.send('all');
  }
}

socket.on('open', () => {
  report.opened = socket.transport.name;
  socket.send('hello \u2603');
  pump();
});

socket.on('upgrading', () => {
  phase = 'during';
  burst();
});

socket.on('upgrade', () => {
  phase = 'after';
  burst();
});

socket.on('ping', () => {
  report.pings += 1;
  closeIfDone();
});

let total = null;

socket.on('message', (text) => {
  if (text.startsWith('e')) {
    report.answers.push(text);
  } else if (text.startsWith('s')) {
    report.news.push(text);
  } else if (text.startsWith('total ')) {
    total = Number(text.slice(6));
  } else {
    report.echo = text;
  }
  closeIfDone();
});

function closeIfDone() {
  if (total !== null && report.pings >= 2 && report.closed === null) {
    report.transport = socket.transport.name;
    socket.close();
  }
}

socket.on('close', (reason) => {
  report.closed = reason;
  end(total !== null ? null : 'closed too early: ' + reason);
});
