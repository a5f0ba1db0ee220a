/** What a page shows to be let in: a token, or one for joining until it has a credential. */
(function (parts) {
  'use strict';

  var String = parts.String;
  var Worker = parts.Worker;
  var decode = parts.decode;
  var exec = parts.exec;
  var noop = parts.noop;
  var replace = parts.replace;

  //: A token for joining is not looked for in the query, which goes to logs and to other sites.
  var TOKEN = /([#?&])token=([^&#]*)&?/;
  var JOIN = /([#&])join=([^&#]*)&?/;

  /**
   * A page shows one of the two. What the address brings takes the place of what an earlier load
   * has brought.
   */
  Worker.prototype._findTokens = function () {
    var options = this._options;
    var location = this._env.location;
    var hash = String(location.hash || '');
    var token = this._take('token', TOKEN, exec(TOKEN, hash) ||
      exec(TOKEN, String(location.search || '')));
    var join = this._take('join', JOIN, exec(JOIN, hash));
    if (token) {
      this._shelf.remove('join');
    } else if (join) {
      this._shelf.remove('token');
    }
    this._token = options.token || token || (join ? null : this._shelf.get('token'));
    this._join = options.join || join || (token ? null : this._shelf.get('join'));
  };

  /**
   * Move it from the address to the shelf; leave it in the address if it cannot be kept. It is
   * taken as it stands, but for what is percent-encoded.
   */
  Worker.prototype._take = function (name, pattern, found) {
    var text = null;
    if (!found) {
      return null;
    }
    try {
      text = decode(found[2]);  // a plus is a plus: base64 has them
    } catch (e) {
      text = found[2];
    }
    if (this._shelf.set(name, text)) {
      this._cleanAddress(pattern);
    }
    return text;
  };

  Worker.prototype._cleanAddress = function (pattern) {
    var location = this._env.location;
    var history = this._env.history;
    var search = without(location.search, pattern, /[?&]$/);
    var hash = without(location.hash, pattern, /[#&]$/);
    try {
      history.replaceState(null, '', String(location.pathname || '/') + search + hash);
    } catch (e) {
      noop();  // an old document mode: the token stays in the address
    }
  };

  function without(text, pattern, end) {
    return replace(replace(String(text || ''), pattern, '$1'), end, '');
  }

  /** What is shown as the token: the credential, unless the page came with a token. */
  Worker.prototype._shownToken = function () {
    return this._token || this._identity.record.credential || undefined;
  };

  /** Whether it has anything to show: a token, a credential, or a token for joining. */
  Worker.prototype._hasToken = function () {
    return !!(this._shownToken() || this._join);
  };

  /**
   * We have no identity and want to join. It is kept before we join, so that a page that is loaded
   * anew joins as the same worker, and spends no other use.
   */
  Worker.prototype._onIdentity = function (message) {
    var known = this._identity.record;
    if (this._registered) {
      return;
    }
    known.worker = message.worker;
    known.secret = message.secret;
    this._identity.save();
    this._register();
  };

  /** We have joined. */
  Worker.prototype._onCredential = function (message) {
    this._identity.record.credential = message.credential;
    this._identity.save();
    this._shelf.remove('join');
    this._join = null;
    this._note(this._shelf.persistent ? 'joined' :
      'joined, for as long as this page is open: the browser keeps nothing for it');
  };
}(parts));
