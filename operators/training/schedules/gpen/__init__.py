"""GPEN in training: a prior, the same as a decoder, and both halves tuned together."""
