"""Everything that is not a function: the local stack and the commands around it."""
