/*
 * Helps with the submit form: it makes a large picture smaller before it is sent, and refuses a
 * large file before the upload. ES5; the form works without this script, too.
 *
 * Markup: #submit-form with data-limit (bytes of data that the server takes), #file, #image
 * (hidden; takes the smaller picture as a data URL) and #file-note (words for people).
 */
(function () {
  'use strict';

  /** What stands around the picture in the data, and some room. */
  var SPARE_BYTES = 2048;
  var LARGEST_SIDE = 4096;
  var SMALLEST_SIDE = 32;

  var form = document.getElementById('submit-form');
  var file = document.getElementById('file');
  var image = document.getElementById('image');
  var note = document.getElementById('file-note');
  var data = document.getElementById('data');
  var button = form && form.querySelector('button[type=submit]');
  var limit = form ? parseInt(form.getAttribute('data-limit'), 10) : 0;
  /** Counts the choices: an answer for an earlier one is dropped. */
  var choice = 0;
  /** Why the chosen file cannot be sent; empty where it can. */
  var refusal = '';

  if (!form || !file || !image || !note) { return; }
  if (!window.FileReader || !file.files) { return; }

  /** @param {string} text */
  function say(text) { note.textContent = text; }

  /** @param {number} bytes @return {string} */
  function size(bytes) {
    if (bytes < 1048576) { return Math.ceil(bytes / 1024) + ' KiB'; }
    return (bytes / 1048576).toFixed(1) + ' MiB';
  }

  /** @return {number} Characters that a data URL may have beside what is typed. */
  function room() { return limit - SPARE_BYTES - (data ? data.value.length : 0); }

  /** @param {string} text */
  function refuse(text) {
    refusal = text;
    say(text);
  }

  /**
   * The picture as a JPEG that fits, or '' if none does.
   * @param {HTMLImageElement} picture
   * @return {string}
   */
  function shrink(picture) {
    var canvas = document.createElement('canvas');
    var context = canvas.getContext('2d');
    var scale = Math.min(1, LARGEST_SIDE / Math.max(picture.width, picture.height));
    var url;
    while (Math.max(picture.width, picture.height) * scale >= SMALLEST_SIDE) {
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      // A JPEG knows no transparency; without this it would be black.
      context.fillStyle = '#fff';
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      url = canvas.toDataURL('image/jpeg', 0.85);
      if (url.indexOf('data:image/jpeg') === 0 && url.length <= room()) { return url; }
      scale *= 0.8;
    }
    return '';
  }

  /**
   * @param {File} chosen
   * @param {number} mine The choice that this is for.
   */
  function makeSmaller(chosen, mine) {
    var reader = new FileReader();
    var picture = new Image();
    function failed() {
      if (mine === choice) {
        refuse('This file is too large, and cannot be read as a picture to make it smaller.');
      }
    }
    picture.onload = function () {
      var url;
      if (mine !== choice) { return; }
      url = shrink(picture);
      if (!url) { return failed(); }
      image.value = url;
      refusal = '';
      say('The picture has been made smaller: ' + size(chosen.size) + ' to ' +
        size(url.length * 3 / 4) + '.');
    };
    picture.onerror = failed;
    reader.onerror = failed;
    reader.onload = function () { picture.src = String(reader.result); };
    reader.readAsDataURL(chosen);
  }

  function chosenAnew() {
    var chosen = file.files[0];
    choice += 1;
    image.value = '';
    refusal = '';
    say('');
    if (!chosen || chosen.size * 4 / 3 <= room()) { return; }
    if (/^image\//.test(chosen.type)) {
      refuse('Making the picture smaller …');
      makeSmaller(chosen, choice);
    } else {
      refuse('This file is too large: it has ' + size(chosen.size) + ', at most ' +
        size(room() * 3 / 4) + ' can be sent.');
    }
  }

  file.addEventListener('change', chosenAnew, false);

  form.addEventListener('submit', function (event) {
    if (refusal) {
      event.preventDefault();
      say(refusal);
      file.focus();
      return;
    }
    // The smaller picture stands for the file.
    file.disabled = image.value !== '';
    // If it is sent twice anyway, the key makes both the same job.
    window.setTimeout(function () { button.disabled = true; }, 0);
  }, false);

  // Back from the next page: the browser may show this one as it was.
  window.addEventListener('pageshow', function () {
    file.disabled = false;
    button.disabled = false;
  }, false);
}());
