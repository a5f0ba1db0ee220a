// pagehand: {"title": "Print a label", "example": {"order": 4711}}
Pagehand.task('label', function (job, done) {
  job.progress(50);
}, {
  doubt: 'ask',
  ask: function (data) { return 'Did the label for order ' + data.order + ' come out?'; }
});
