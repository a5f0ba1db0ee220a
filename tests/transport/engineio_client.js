// Drives the real engine.io-client against a server that echoes: node engineio_client.js <engine.io-client> <url>
// Writes one line of JSON: what happened, or what went wrong.
'use strict';

const { Socket } = require(process.argv[2]);

const BURST = 50;
const report = { opened: false, transport: null, echo: null, burst: [], pings: 0, closed: null };
const socket = new Socket(process.argv[3], { path: '/engine.io/', transports: ['polling'] });

const timer = setTimeout(() => end('timed out'), 10000);

// Node then ends by itself as soon as nothing is under way any more: the POST of the close packet, the parked GET.
function end(error) {
  clearTimeout(timer);
  report.error = error || null;
  process.stdout.write(JSON.stringify(report) + '\n', () => error && process.exit(1));
}

function sendBurst() {
  for (let n = 0; n < BURST; n += 1) {
    socket.send('burst ' + n);
  }
}

socket.on('open', () => {
  report.opened = true;
  report.transport = socket.transport.name;
  socket.send('hello \u2603');
});

socket.on('ping', () => {
  report.pings += 1;
  if (report.pings === 2) {
    sendBurst();
  }
});

socket.on('message', (text) => {
  if (report.echo === null) {
    report.echo = text;
    return;
  }
  report.burst.push(text);
  if (report.burst.length === BURST) {
    socket.close();
  }
});

socket.on('close', (reason) => {
  report.closed = reason;
  end(report.burst.length === BURST ? null : 'closed too early: ' + reason);
});
