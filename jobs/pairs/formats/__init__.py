"""The formats in which pairs are written, one file each."""
