/** The messages of docs/protocol.md: reads those of the server, writes those of the page. */
(function (parts) {
  'use strict';

  var classOf = parts.classOf;
  var clip = parts.clip;
  var codedError = parts.codedError;
  var each = parts.each;
  var fieldText = parts.fieldText;
  var isObject = parts.isObject;
  var own = parts.own;
  var parseObject = parts.parseObject;
  var quote = parts.quote;
  var read = parts.read;
  var toJson = parts.toJson;

  /** The fields that a message from the server must have, and their types. */
  var SERVER_MESSAGES = {
    registered: { worker: 'string', secret: 'string', name: 'string', settings: 'object' },
    identity: { worker: 'string', secret: 'string' },
    credential: { credential: 'string' },
    job: {
      attempt: 'string', id: 'string', type: 'string', number: 'number', timeout_ms: 'number'
    },
    go: { attempt: 'string' },
    recorded: { attempt: 'string', verdict: 'string' },
    cancel: { attempt: 'string', reason: 'string' },
    drain: {},
    resume: {},
    reload: {},
    hold: { paused: 'boolean' },
    doubt: { attempt: 'string', state: 'string' },
    refused: { code: 'string', detail: 'string' }
  };

  /** One message from the server. Throws an Error with code bad_message or unknown_op. */
  function readMessage(text) {
    var message = parseObject(text);
    var fields;
    if (!message || typeof message.op !== 'string') {
      throw codedError('bad_message', 'not a message: ' + clip(text, 60));
    }
    fields = own(SERVER_MESSAGES, message.op);
    if (!fields) {
      throw codedError('unknown_op', 'unknown op ' + clip(message.op, 50));
    }
    each(fields, function (type, name) {
      if (typeof message[name] !== type || message[name] === null) {
        throw codedError('bad_message', message.op + ' without ' + name);
      }
    });
    if (message.op === 'job') {
      if (message.data === undefined) {
        throw codedError('bad_message', 'job without data');
      }
      message.dataText = fieldText(text, 'data');
    }
    return message;
  }

  /** The text of a message; fields that are undefined are left out. */
  function writeMessage(op, fields) {
    var text = '{"op":' + quote(op);
    each(fields, function (value, key) {
      var json = toJson(value);
      text += json === undefined ? '' : ',' + quote(key) + ':' + json;
    });
    return text + '}';
  }

  function resultMessage(attempt, json) {
    return '{"op":"result","attempt":' + quote(attempt) + ',"value":' + json + '}';
  }

  /** The fields of an `error`, from anything that a task threw or gave to done. */
  function errorFields(error) {
    var fields = { message: '', stack: undefined, code: undefined, retry: true };
    var stack;
    var name;
    var code;
    try {
      if (isObject(error)) {
        name = classOf(error) === '[object Error]' ? error.name : read(error, 'name');
        fields.message = clip(read(error, 'message') || name || error, 10000);
        stack = classOf(error) === '[object Error]' ? error.stack : read(error, 'stack');
        fields.stack = stack ? clip(stack, 50000) : undefined;
        code = read(error, 'code');
        fields.code = typeof code === 'string' ? clip(code, 200) : undefined;
        fields.retry = read(error, 'retry') !== false;
      } else {
        fields.message = clip(error, 10000) || 'the error that the task gave is an empty text';
      }
    } catch (e) {
      fields.message = 'an error that cannot be read';
    }
    return fields;
  }

  parts.errorFields = errorFields;
  parts.readMessage = readMessage;
  parts.resultMessage = resultMessage;
  parts.writeMessage = writeMessage;
}(parts));
