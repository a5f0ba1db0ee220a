// pagehand: {"title": "Registers nothing", "example": null}

