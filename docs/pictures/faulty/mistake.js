// pagehand: {"title": "A mistake in a callback", "example": null}

Pagehand.task('mistake', function (job, done) {
  setTimeout(function () { done(null, nothere); }, 0);
});
