"""Three records that end processes, in an archive of sound ones."""
