"""GFPGAN in training: a U-Net beside a prior, with discriminators of the face, its eyes and its mouth."""
