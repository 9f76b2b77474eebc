"""Masks and attributes of face completion: what training draws, and what of a picture is missing."""
