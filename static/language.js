/**
 * The language of the worker page: that of the address (?lang=de), or else that of the browser. All
 * texts of the page stand in words.js. What comes from the server, the browser or a task stands as
 * it came, and so does a detail behind a code. It runs in every browser, however old: ES3 only.
 */
(function (window) {
  var catalogue = window.pagehandCatalogue;
  var german = {};
  var i;

  /** 'de' or 'en'. */
  function languageOf(search, navigator) {
    var asked = /[?&]lang=(de|en)(?:&|$)/.exec(search || '');
    var own = navigator.language || navigator.userLanguage || '';
    return asked ? asked[1] : /^de\b/i.test(String(own)) ? 'de' : 'en';
  }

  /** The texts in one language. */
  function textsIn(language) {
    function found(english) {
      var known = language === 'de' && Object.prototype.hasOwnProperty.call(german, english);
      return known ? german[english] : english;
    }

    /** A text of the catalogue, by its English words, with its values. */
    function text(english, values) {
      return found(english).replace(/\|.*$/, '').replace(/\{(\w+)\}/g, function (all, name) {
        return values[name];
      });
    }

    /** What the worker's script says, perhaps with a detail in brackets; others as they are. */
    text.known = function (words) {
      var parts = /^([\s\S]*?)( \([\s\S]*\))?$/.exec(words);
      return found(parts[1]) + (parts[2] || '');
    };
    return text;
  }

  for (i = 0; i < catalogue.length; i += 1) {
    german[catalogue[i][0]] = catalogue[i][1];
  }
  window.pagehandLanguage = languageOf(window.location.search, window.navigator);
  window.pagehandEnglish = textsIn('en');
  window.pagehandText = textsIn(window.pagehandLanguage);
  window.document.documentElement.lang = window.pagehandLanguage;
}(window));
