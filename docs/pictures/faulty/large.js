// pagehand: {"title": "A large result", "example": null}

Pagehand.task('large', function () {
  return new Array(1100002).join('x');
});
