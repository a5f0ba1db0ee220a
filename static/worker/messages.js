/** The messages of docs/protocol.md: reads those of the server, writes those of the page. */
(function (parts) {
  'use strict';

  var JSON = parts.JSON;
  var clip = parts.clip;
  var codedError = parts.codedError;
  var each = parts.each;
  var isObject = parts.isObject;
  var own = parts.own;
  var parseJson = parts.parseJson;

  /** The fields that a message from the server must have, and their types. */
  var SERVER_MESSAGES = {
    registered: { worker: 'string', secret: 'string', name: 'string', settings: 'object' },
    job: {
      attempt: 'string', id: 'string', type: 'string', number: 'number', timeout_ms: 'number'
    },
    go: { attempt: 'string' },
    recorded: { attempt: 'string', verdict: 'string' },
    cancel: { attempt: 'string', reason: 'string' },
    drain: {},
    resume: {},
    reload: {},
    refused: { code: 'string', detail: 'string' }
  };

  /** One message from the server. Throws an Error with code bad_message or unknown_op. */
  function readMessage(text) {
    var message = parseJson(text);
    var fields;
    if (!isObject(message) || typeof message.op !== 'string') {
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
    if (message.op === 'job' && own(message, 'data') === undefined) {
      throw codedError('bad_message', 'job without data');
    }
    return message;
  }

  /**
   * JSON that every reader takes. Newer engines escape half of a surrogate pair, which
   * strict parsers refuse; older ones write it raw, and XMLHttpRequest sends U+FFFD for it.
   */
  function toJson(value) {
    var json = JSON.stringify(value);
    if (json === undefined || json.indexOf('\\ud') < 0) {
      return json;
    }
    return json.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|[\s\S])/g, function (escape, half) {
      return half ? '\ufffd' : escape;
    });
  }

  /** The text of a message; fields that are undefined are left out. */
  function writeMessage(op, fields) {
    var message = { op: op };
    each(fields, function (value, key) { message[key] = value; });
    return toJson(message);
  }

  function resultMessage(attempt, json) {
    return '{"op":"result","attempt":' + JSON.stringify(attempt) + ',"value":' + json + '}';
  }

  /** The fields of an `error`, from anything that a task threw or gave to done. */
  function errorFields(error) {
    var fields = { message: '', retry: true };
    var stack;
    try {
      if (isObject(error)) {
        fields.message = clip(error.message || error.name || error, 10000);
        stack = error.stack;
        fields.stack = stack ? clip(stack, 50000) : undefined;
        fields.code = typeof error.code === 'string' ? clip(error.code, 200) : undefined;
        fields.retry = error.retry !== false;
      } else {
        fields.message = clip(error, 10000);
      }
    } catch (e) {
      fields.message = 'an error that cannot be read';
    }
    return fields;
  }

  parts.errorFields = errorFields;
  parts.readMessage = readMessage;
  parts.resultMessage = resultMessage;
  parts.toJson = toJson;
  parts.writeMessage = writeMessage;
}(parts));
