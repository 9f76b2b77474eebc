"""Faces in an image: where they are, how a crop is cut out, how it is put back."""
