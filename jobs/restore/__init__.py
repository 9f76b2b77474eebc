"""The job kind `restore`: an archive in, restored derivatives out."""
