"""A collection that is kept up night by night: what is due, what is done, what stands."""
