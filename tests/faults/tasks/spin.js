// pagehand: {"title": "Holds the page's only thread for data.ms"}
Pagehand.task('spin', function (job) {
  var end = new Date().getTime() + job.data.ms;
  while (new Date().getTime() < end) {
    job.spun = true;
  }
  return 'spun';
});
