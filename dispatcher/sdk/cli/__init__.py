"""The verbs of the command ``pagehand``: what a person or a script asks a server from a shell.

Data goes to standard output, talk to standard error. ``program`` has the list of the verbs; each other module has a
group of them, or what several of them use. docs/cli.md shows all by example.
"""
