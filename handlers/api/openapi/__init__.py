"""The description of the HTTP surface (OpenAPI 3.1), made from the routes, their handlers and the types of bodies."""
