// pagehand: {"title": "Asks somebody", "example": null}

Pagehand.task('asks', function () { alert('Is there paper?'); });
