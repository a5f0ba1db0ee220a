/**
 * The strip of the worker page that asks the person who sits there about a job in doubt. It opens
 * no box and takes no focus: whoever is asked may go on with other work. Who has answered by
 * keyboard is led on, as the button goes away: to what became of it, to the next question, and at
 * last to the word of the page's state.
 */
(function (window, document) {
  'use strict';

  //: So long the buttons cannot be pressed: whoever does so at once meant something else.
  var UNREAD_MS = 700;

  /**
   * write(element, text): shows a text. answer(attempt, happened): called when a person has said
   * so. Gives back show(doubt): what a worker's status has of it, again and again.
   */
  window.pagehandQuestion = function (write, answer) {
    var say = window.pagehandWords;
    var place = document.getElementById('doubt');
    var heading = document.getElementById('word');
    var question = document.getElementById('question');
    var help = document.getElementById('question-help');
    var answers = document.getElementById('answers');
    var yes = document.getElementById('yes');
    var no = document.getElementById('no');
    var asked = null;     // the attempt that the buttons are about
    var askedAt = 0;

    function now() {
      return new Date().getTime();
    }

    function isUnread() {
      var age = now() - askedAt;
      return age >= 0 && age < UNREAD_MS;  // the clock may be set back
    }

    yes.onclick = function () { answer(asked, true); };
    no.onclick = function () { answer(asked, false); };

    return function (doubt) {
      var open = doubt && doubt.state === 'asked' ? doubt.attempt : null;
      var active = document.activeElement;  // null in Internet Explorer, now and then
      var wasInside = !!active && place.contains(active);
      if (open !== null && open !== asked) {
        askedAt = now();
      }
      asked = open;
      yes.disabled = no.disabled = open === null || isUnread();
      write(question, doubt ? say.questionText(doubt) : '');
      write(help, doubt ? say.doubtText(doubt) : '');
      place.className = doubt ? '' : 'off';
      answers.className = open === null ? 'off' : '';
      if (wasInside && yes.disabled) {
        (doubt ? question : heading).focus();
      }
    };
  };
}(window, document));
