// pagehand: {"title": "Print a label", "example": {"text": "FRAGILE", "copies": 2}}

Pagehand.task('print-label', function (job, done) {
  var printed = 0;
  var timer;
  function next() {
    printed += 1;
    job.progress(100 * printed / job.data.copies, 'copy ' + printed);
    timer = setTimeout(printed < job.data.copies ? next : end, 500);
  }
  function end() { done(null, {printed: printed}); }
  job.onCancel(function () { clearTimeout(timer); });
  next();
});
