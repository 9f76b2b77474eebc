"""Image files to pixels and back: formats, depth, colour, orientation, metadata."""
