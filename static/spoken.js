/**
 * What is wrong as six letters to read aloud: they say it also when the page has no network.
 * handlers/phone/spoken.py reads them, and says how they are made.
 */
(function (window) {
  'use strict';

  var LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
  var WEIGHTS = [1, 3, 5, 7, 9];
  var MOST_TRIES = 255;

  /** 'K7F-42Q'; '' for a trouble that has no code. `since`: ms of the wall clock. */
  window.pagehandSpoken = function (code, since, tries) {
    var place = Object.keys(window.Pagehand.CODES).indexOf(code);
    var date = new Date(since);
    var minute = date.getHours() * 60 + date.getMinutes();
    var number = place * 524288 + minute * 256 + Math.min(tries, MOST_TRIES);
    var text = '';
    var check = 0;
    if (place < 0) {
      return '';
    }
    [20, 15, 10, 5, 0].forEach(function (shift, index) {
      var value = (number >> shift) & 31;
      check += WEIGHTS[index] * value;
      text += LETTERS.charAt(value) + (index === 2 ? '-' : '');
    });
    return text + LETTERS.charAt(check % 32);
  };
}(window));
