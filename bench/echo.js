// An echo on Node's engine.io as its documentation shows it: `node bench/echo.js PORT DIR`, where `npm install engine.io`
// was run in DIR.
'use strict';

var http = require('http');
var path = require('path');
var engine = require(path.resolve(process.argv[3], 'node_modules', 'engine.io'));

var server = http.createServer();
engine.attach(server).on('connection', function (socket) {
  socket.on('message', function (data) {
    socket.send(data);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
