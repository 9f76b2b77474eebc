"""GPEN: Yang et al., "GAN Prior Embedded Network for Blind Face Restoration in the Wild" (CVPR 2021)."""
