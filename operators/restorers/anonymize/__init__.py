"""Faces made unrecognisable."""
