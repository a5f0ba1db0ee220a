// pagehand: {"title": "Registers another name", "example": null}

Pagehand.task('reciept', function (job) { return job.data; });
