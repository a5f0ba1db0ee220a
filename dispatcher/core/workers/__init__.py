"""Who is there and who gets what: the workers of one node, their attempts and deadlines, the demand for jobs."""
