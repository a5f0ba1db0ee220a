"""Daily work of an operator, a task author and an administrator, done in a real browser as a new user would: each
click is counted.
"""
