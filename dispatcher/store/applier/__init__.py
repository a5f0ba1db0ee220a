"""The rules of a turn, without I/O: what the reports, commands, submissions and demand of a turn do to the rows."""
