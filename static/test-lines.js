/**
 * The button "Test connection" of the worker page, and the lines under it. The test is the
 * library's (Pagehand.ConnectionTest), the words are those of test-words.js.
 */
(function (window, document) {
  'use strict';

  /**
   * base: the path of the server's pages. write(element, text): shows a text. told(text): called
   * with what was found, in short, when a test is over. Gives back report(): the lines of the
   * newest test.
   */
  window.pagehandTest = function (base, write, told) {
    var t = window.pagehandText;
    var say = window.pagehandTestWords;
    var button = document.getElementById('test');
    var place = document.getElementById('test-result');
    var title = document.getElementById('test-title');
    var list = document.getElementById('test-lines');
    var test = null;
    var isOver = true;

    /** A mark, which is not read aloud by a program, and the text. */
    function line() {
      var item = document.createElement('li');
      var mark = document.createElement('span');
      mark.setAttribute('aria-hidden', 'true');
      item.appendChild(mark);
      item.appendChild(document.createElement('span'));
      return item;
    }

    function show() {
      var lines = test.lines();
      write(title, say.testTitle(lines, test.beganAt));
      lines.forEach(function (found, index) {
        var item = list.childNodes[index] || list.appendChild(line());
        item.className = found.state;
        write(item.firstChild, say.testMark(found));
        write(item.lastChild, say.testLine(found));
      });
      // One button: a button that goes away takes the keyboard's focus with it.
      write(button, test.isOver() ? t('Test connection') : t('Stop the test'));
    }

    function changed() {
      var ended = test.isOver() && !isOver;
      isOver = test.isOver();
      show();
      if (ended) {
        told(say.testShort(test.lines(), test.beganAt));
      }
    }

    function begin() {
      isOver = false;
      test = new window.Pagehand.ConnectionTest({ url: base });
      place.className = '';
      show();
      test.start(changed);
    }

    button.onclick = function () {
      if (isOver) {
        begin();
      } else {
        test.stop();
      }
    };
    button.disabled = false;

    return {
      report: function () {
        return test ? [say.testTitle(test.lines(), test.beganAt)].concat(
          test.lines().map(function (found) {
            return say.testMark(found) + ' ' + say.testLine(found);
          })) : [];
      }
    };
  };
}(window, document));
