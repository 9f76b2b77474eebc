"""PGGAN: Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation" (ICLR 2018)."""
