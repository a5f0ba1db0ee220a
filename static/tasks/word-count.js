// pagehand: {"title": "Count words, characters and lines of a text", "example": {"text": "to be or not to be"}}

/**
 * data: {text, top} or the text itself; top: how many of the most frequent words (10, at most
 * 1000). Result: {words, characters, lines, top: [{word, count}]}. Words are runs of letters and
 * digits, compared in lower case; characters are UTF-16 units. Long texts are counted in slices, so
 * that the page stays responsive.
 */
(function () {
  'use strict';

  var SLICE = 200000;
  //: Letters and digits of most scripts, by ranges: ES5 has no \p{L}.
  var LETTERS = '0-9A-Za-z\\u00aa\\u00b5\\u00ba\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u1fff' +
    '\\u2c00-\\u2dff\\u3040-\\ud7ff\\uf900-\\ufdff\\ufe70-\\ufeff\\uff10-\\uffdc';
  var WORD = '[' + LETTERS + ']+(?:[\'\\u2019][A-Za-z\\u00c0-\\u024f]+)*';

  function countLines(text) {
    var breaks = text.match(/\r\n|\r|\n/g);
    return text === '' ? 0 : (breaks ? breaks.length : 0) + 1;
  }

  /** The most frequent come first, equal counts in alphabetical order, so that runs agree. */
  function mostFrequent(counts, limit) {
    var words = Object.keys(counts);
    words.sort(function (a, b) {
      return counts[b] - counts[a] || (a < b ? -1 : 1);
    });
    return words.slice(0, limit).map(function (key) {
      return { word: key.slice(1), count: counts[key] };
    });
  }

  function textOf(data) {
    var text = typeof data === 'string' ? data : data && data.text;
    if (typeof text !== 'string') {
      throw Pagehand.fatal('data must be a text, or an object with a text', 'bad_data');
    }
    return text;
  }

  function limitOf(data) {
    var limit = data && data.top !== undefined ? data.top : 10;
    if (typeof limit !== 'number' || !(limit >= 0 && limit <= 1000)) {
      throw Pagehand.fatal('top must be a number from 0 to 1000', 'bad_data');
    }
    return Math.floor(limit);
  }

  function wordCount(job, done) {
    var text = textOf(job.data);
    var limit = limitOf(job.data);
    var pattern = new RegExp(WORD, 'g');
    var counts = {};   // keys begin with a colon: a text may contain the word __proto__
    var words = 0;
    var timer = null;

    function slice() {
      var end = pattern.lastIndex + SLICE;
      var found = pattern.exec(text);
      var key;
      while (found) {
        key = ':' + found[0].toLowerCase();
        counts[key] = (counts[key] || 0) + 1;
        words += 1;
        if (pattern.lastIndex >= end) {
          job.progress(100 * pattern.lastIndex / text.length, words + ' words');
          timer = setTimeout(slice, 0);
          return;
        }
        found = pattern.exec(text);
      }
      done(null, {
        words: words,
        characters: text.length,
        lines: countLines(text),
        top: mostFrequent(counts, limit)
      });
    }

    job.onCancel(function () { clearTimeout(timer); });
    slice();
  }

  Pagehand.task('word-count', wordCount);
}());
