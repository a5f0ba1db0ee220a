// pagehand: {"title": "Throws", "example": null}

Pagehand.task('throws', function (job) {
  job.log('labels: ' + job.data.copies);
  job.log('looking for the printer ' + job.data.printer);
  throw new Error('no printer called ' + job.data.printer);
});
