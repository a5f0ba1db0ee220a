// pagehand: {"title": "Ends after data.ms with data.value; data.deaf: a cancel does not stop it"}
Pagehand.task('wait', function (job, done) {
  var timer = setTimeout(function () { done(null, job.data.value); }, job.data.ms);
  if (!job.data.deaf) {
    job.onCancel(function () { clearTimeout(timer); });
  }
});
