"""The flight record: all that happened to a job and its pages, in one file for whoever must find out why."""
