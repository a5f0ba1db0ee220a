/** Answers that are none: what they say, in words for people; and where the server is. */
(function (parts) {
  'use strict';

  var clip = parts.clip;
  var isObject = parts.isObject;
  var parseJson = parts.parseJson;

  //: Of an answer, this much is looked at; and of its words, this much is shown.
  var LOOK_AT = 5000;
  var SHOW = 200;
  //: The server's own refusals may be longer: they say what to do.
  var SHOW_OURS = 1000;
  //: Engine.IO's code for "forbidden".
  var FORBIDDEN = 4;
  var USUAL_PORT = { 'http:': ':80', 'https:': ':443' };

  function words(text) {
    return text.replace(/\s+/g, ' ').replace(/^ | $/g, '');
  }

  /** The title of a page, or what stands on it. */
  function fromPage(text) {
    var title = /<title[^>]*>([^<]*)/i.exec(text);
    return words(title ? title[1] : text
      .replace(/<(style|script)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' '));
  }

  function message(text) {
    var body = /^\s*\{/.test(text) ? parseJson(text) : null;
    var found = isObject(body) ? body.message || body.detail : null;
    return typeof found === 'string' ? found : '';
  }

  /** What an answer says; empty where it says nothing. */
  function said(text) {
    var start = clip(text, LOOK_AT);
    var known = message(start);
    if (known) {
      return clip(words(known), SHOW_OURS);
    }
    return clip(/^\s*</.test(start) ? fromPage(start) : words(start), SHOW);
  }

  /** `status 502: Bad Gateway` */
  function saidWith(status, text) {
    var what = said(text);
    return 'status ' + status + (what ? ': ' + what : '');
  }

  /** The words of our server if it has refused this page, and not something before it. */
  function refusal(status, text) {
    var body = status === 403 ? parseJson(clip(text, LOOK_AT)) : null;
    return isObject(body) && body.code === FORBIDDEN ? said(text) : '';
  }

  function withoutUsualPort(protocol, host) {
    var usual = USUAL_PORT[protocol];
    return usual && host.slice(-usual.length) === usual ? host.slice(0, -usual.length) : host;
  }

  /** The origin of an address as seen from a page; that of the page where the address has none. */
  function originOf(url, location) {
    var found = /^([a-z][a-z0-9+.\-]*:)?\/\/([^\/?#]*)/i.exec(url || '');
    var protocol = ((found && found[1]) || location.protocol || '').toLowerCase();
    var host = (found ? found[2] : location.host || '').toLowerCase();
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
    if (/^https:/.test(here) && /^http:/.test(there)) {
      text += '; or the browser lets no page with https ask a server without it';
    }
    return text;
  }

  parts.noAnswer = noAnswer;
  parts.refusal = refusal;
  parts.said = said;
  parts.saidWith = saidWith;
}(parts));
