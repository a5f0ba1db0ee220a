"""The pages for people: the form, the console, the login."""
