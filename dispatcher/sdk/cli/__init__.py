"""The command ``pagehand``: what a person or a script asks a server from a shell.

Data goes to standard output, talk to standard error. ``program`` lists the verbs, ``verbs`` has them; the other
modules are what they share. docs/cli.md shows all by example.
"""
