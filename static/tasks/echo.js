// pagehand: {"quick": true, "title": "Give the data back unchanged", "example": {"hello": "world"}}

Pagehand.task('echo', function (job) {
  'use strict';
  return job.data === undefined ? null : job.data;
}, { quick: true });
