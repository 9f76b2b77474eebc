"""What generators are trained against: of the whole picture, of its patches, of eyes and mouth."""
