"""The survey: every image of a source looked at once, for what could be cut out of it."""
