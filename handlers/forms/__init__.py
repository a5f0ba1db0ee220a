"""A job that comes as a form: what the form's body says, and the job that it asks for.

The console's form and the API take the same fields. It knows neither of them.
"""
