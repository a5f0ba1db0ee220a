"""What can be seen of a node: lists, why jobs wait, what somebody must look at."""
