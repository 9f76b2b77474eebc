"""Seeing where a photograph is damaged: scratches, tears, cracks, missing corners, stamps, dust."""
