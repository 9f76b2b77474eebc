"""Inversion behind the contract of restorers: a face is searched for among those that a generator can make."""
