"""Training pairs per second beside a straightforward implementation of the same recipes."""
