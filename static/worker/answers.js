/** Answers that are none: what they say, in words for people; and where the server is. */
(function (parts) {
  'use strict';

  var clip = parts.clip;
  var exec = parts.exec;
  var lower = parts.lower;
  var own = parts.own;
  var parseObject = parts.parseObject;
  var replace = parts.replace;
  var slice = parts.slice;
  var trim = parts.trim;

  //: Of an answer, this much is looked at; and of its words, this much is shown.
  var LOOK_AT = 5000;
  var SHOW = 200;
  //: The server's own refusals may be longer: they say what to do.
  var SHOW_OURS = 1000;
  //: Engine.IO's code for "forbidden".
  var FORBIDDEN = 4;
  var USUAL_PORT = { 'http:': ':80', 'https:': ':443' };

  function words(text) {
    return trim(replace(text, /\s+/g, ' '));
  }

  /** The title of a page, or what stands on it. */
  function fromPage(text) {
    var title = exec(/<title[^>]*>([^<]*)/i, text);
    var shown = title ? title[1] : replace(text, /<(style|script)[\s\S]*?<\/\1>/gi, ' ');
    return words(title ? shown : replace(shown, /<[^>]*>/g, ' '));
  }

  function message(text) {
    var body = parseObject(text);
    var found = body ? body.message || body.detail : null;
    return typeof found === 'string' ? found : '';
  }

  /** What an answer says; empty where it says nothing. */
  function said(text) {
    var start = clip(text, LOOK_AT);
    var known = message(start);
    if (known) {
      return clip(words(known), SHOW_OURS);
    }
    return clip(exec(/^\s*</, start) ? fromPage(start) : words(start), SHOW);
  }

  /** `status 502: Bad Gateway` */
  function saidWith(status, text) {
    var what = said(text);
    return 'status ' + status + (what ? ': ' + what : '');
  }

  /** The words of our server if it has refused this page, and not something before it. */
  function refusal(status, text) {
    var body = status === 403 ? parseObject(clip(text, LOOK_AT)) : null;
    return body && body.code === FORBIDDEN ? said(text) : '';
  }

  function withoutUsualPort(protocol, host) {
    var usual = own(USUAL_PORT, protocol);
    return usual && slice(host, -usual.length) === usual ? slice(host, 0, -usual.length) : host;
  }

  /** The origin of an address as seen from a page; that of the page where the address has none. */
  function originOf(url, location) {
    var found = exec(/^([a-z][a-z0-9+.\-]*:)?\/\/([^\/?#]*)/i, url || '');
    var protocol = lower((found && found[1]) || location.protocol || '');
    var host = lower(found ? found[2] : location.host || '');
    return host ? protocol + '//' + withoutUsualPort(protocol, host) : 'null';
  }

  /** What may have happened where no answer came: between two origins a browser does not tell. */
  function noAnswer(url, location) {
    var here = originOf('', location);
    var there = originOf(url, location);
    var text = 'no answer from ' + there;
    if (here !== there) {
      text += '; or it does not let pages of ' + here + ' in (--allow-origin)';
    }
    if (exec(/^https:/, here) && exec(/^http:/, there)) {
      text += '; or the browser lets no page with https ask a server without it';
    }
    return text;
  }

  parts.noAnswer = noAnswer;
  parts.originOf = originOf;
  parts.refusal = refusal;
  parts.said = said;
  parts.saidWith = saidWith;
}(parts));
