// pagehand: {"title": "Never calls done", "example": null}

Pagehand.task('forgets', function (job, done) {});
