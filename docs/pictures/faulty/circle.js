// pagehand: {"title": "A result that holds itself", "example": null}

Pagehand.task('circle', function () {
  var label = {};
  label.next = label;
  return label;
});
