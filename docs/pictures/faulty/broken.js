// pagehand: {"title": "Broken", "example": null}

var copies = (2;
