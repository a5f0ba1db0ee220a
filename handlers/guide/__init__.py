"""``/docs``: the description of the API as a page, with an example of each call in four languages."""
