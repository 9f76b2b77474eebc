"""A folder to be put on the path of processes that are to meet poison."""
